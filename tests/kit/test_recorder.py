from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.clients import version_in
from tests.kit.dists import Dist, wheel
from tests.kit.rawclient import connect, get
from tests.kit.recorder import Certificate, Recorder
from tests.kit.site import Installer, Person, each_installer
from tests.kit.upstream import Chunked, Fin, NoLength, PageStyle, ScriptedIndex, SocketUpstream


@pytest.fixture
def demo(index: ScriptedIndex) -> Dist:
    return index.add(wheel("demo", "1.0", size=200_000))


@pytest.fixture
def recorder(upstream: SocketUpstream) -> Iterator[Recorder]:
    """In front of the scripted upstream, whose answers are known."""
    with Recorder(upstream.port) as made:
        yield made


def test_an_answer_is_passed_on_as_it_is(
    recorder: Recorder, index: ScriptedIndex, upstream: SocketUpstream, demo: Dist
) -> None:
    path = index.file_path(demo)
    for method in ("GET", "HEAD"):
        assert get(f"{recorder.url}{path[1:]}", method=method) == get(f"{upstream.root}{path}", method=method)
    assert recorder.take() == [f"GET {path} -> 200", f"HEAD {path} -> 200"]
    assert recorder.take() == []


@pytest.mark.parametrize("framing", [Chunked(), NoLength()])
def test_a_body_of_unknown_length_is_whole(
    recorder: Recorder, index: ScriptedIndex, demo: Dist, framing: Chunked | NoLength
) -> None:
    index.script("*.whl", framing)
    answer = get(f"{recorder.url}{index.file_path(demo)[1:]}")
    assert answer.complete
    assert answer.body == demo.content


@pytest.mark.usefixtures("demo")
def test_what_decides_an_answer_is_told(recorder: Recorder) -> None:
    """The requests of one connection, which the daemon sees as one, too."""
    with connect("127.0.0.1", int(recorder.url.rsplit(":", 1)[1].strip("/"))) as client:
        client.request("GET", "/simple/demo/", {"Cache-Control": "max-age=0"})
        etag = client.read_answer().headers["etag"]
        client.request("GET", "/simple/demo/", {"If-None-Match": etag, "Accept": "a/b"})
        client.read_answer()
    first, second = recorder.exchanges("/simple/*")
    assert str(first) == "GET /simple/demo/ cache-control=max-age=0 -> 200"
    assert str(second) == "GET /simple/demo/ if-none-match -> 304"
    assert second.asked["accept"] == "a/b"
    assert second.answered["etag"] == etag


def test_an_answer_that_breaks_off_upstream_breaks_off(recorder: Recorder, index: ScriptedIndex, demo: Dist) -> None:
    index.script("*.whl", Fin(at=1000))
    answer = get(f"{recorder.url}{index.file_path(demo)[1:]}")
    assert (answer.complete, len(answer.body)) == (False, 1000)


def test_an_answer_is_cut_once(recorder: Recorder, index: ScriptedIndex, demo: Dist) -> None:
    url = f"{recorder.url}{index.file_path(demo)[1:]}"
    recorder.cut("*.whl", after=100_000)
    first, second = get(url), get(url)
    assert (first.complete, first.body) == (False, demo.content[:100_000])
    assert (second.complete, second.body) == (True, demo.content)


@pytest.mark.usefixtures("demo")
def test_a_prefix_is_taken_off_and_nothing_is_beside_it(upstream: SocketUpstream) -> None:
    with Recorder(upstream.port, prefix="/python") as recorder:
        assert recorder.simple.endswith("/python/simple/")
        assert get(f"{recorder.simple}demo/").status == 200
        assert get(recorder.url.replace("/python", "/simple/demo")).status == 404
        assert recorder.take("/python/*") == ["GET /python/simple/demo/ -> 200"]
    assert upstream.index.paths() == ["/simple/demo/"]


@each_installer
def test_clients_trust_its_certificate(installer: Installer, tmp_path: Path) -> None:
    index = ScriptedIndex(PageStyle(absolute_urls=False))
    demo = index.add(wheel("demo", "1.0"))
    certificate = Certificate(tmp_path)
    with SocketUpstream(index) as upstream, Recorder(upstream.port, certificate=certificate) as recorder:
        assert recorder.url.startswith("https:")
        person = Person(installer, recorder, tmp_path)
        person.install("demo", index_url=recorder.simple)
        assert version_in(person.target, "demo", home=tmp_path) == demo.version
        assert len(recorder.exchanges("/simple/demo/")) == 1
