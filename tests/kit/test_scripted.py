"""What the scripted index answers while all is well, against Python's own HTTP client."""

import gzip
import hashlib
import http.client
import json
from contextlib import closing
from html.parser import HTMLParser

import pytest

from tests.kit.dists import sdist, wheel
from tests.kit.pages import HTML, JSON
from tests.kit.rawclient import Answer, connect, get
from tests.kit.upstream import (
    PageStyle,
    ScriptedIndex,
    SocketUpstream,
)

DEMO = wheel("demo", "1.0", requires_python=">=3.9", size=10_000)
PAGE = "/simple/demo/"


@pytest.fixture
def server(index: ScriptedIndex, upstream: SocketUpstream) -> SocketUpstream:
    index.add(DEMO)
    return upstream


def ask(server: SocketUpstream, path: str, **headers: str) -> Answer:
    return get(server.root + path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_independent_client_reads_page_and_file_on_one_connection(server: SocketUpstream) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as client:
        client.request("GET", PAGE, headers={"Accept": JSON})
        page = client.getresponse()
        assert page.headers["Content-Type"] == JSON
        (file,) = json.load(page)["files"]
        assert file["filename"] == DEMO.filename
        assert (file["hashes"]["sha256"], file["size"]) == (DEMO.sha256, len(DEMO.content))
        path = file["url"].removeprefix(server.root)
        for suffix, sha256 in (("", DEMO.sha256), (".metadata", file["core-metadata"]["sha256"])):
            client.request("GET", path + suffix)
            assert hashlib.sha256(client.getresponse().read()).hexdigest() == sha256
    assert len({seen.peer_port for seen in server.index.requests}) == 1


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (JSON, JSON),
        (f"{JSON}, {HTML}; q=0.1, text/html; q=0.01", JSON),
        (f"{JSON};q=0.1, {HTML}", f"{HTML}; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
    ],
)
def test_negotiation(server: SocketUpstream, accept: str, kind: str) -> None:
    assert ask(server, PAGE, Accept=accept).headers["content-type"] == kind


def test_html_page(server: SocketUpstream) -> None:
    server.index.add(sdist("demo", "0.9"), yanked='broken "quotes"')
    found: list[dict[str, str | None]] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "a":
                found.append(dict(attrs))

    Links().feed(ask(server, PAGE).body.decode())
    assert str(found[0]["href"]).endswith(f"{DEMO.filename}#sha256={DEMO.sha256}")
    assert found[0]["data-requires-python"] == ">=3.9"
    assert found[0]["data-core-metadata"] == f"sha256={DEMO.metadata_sha256}"
    assert found[1]["data-yanked"] == 'broken "quotes"'
    assert "data-core-metadata" not in found[1]


def test_page_is_revalidated_by_its_own_etag_until_it_changes(server: SocketUpstream) -> None:
    first = ask(server, PAGE, Accept=JSON)
    assert first.headers["cache-control"] == "max-age=600, public"
    assert first.headers["etag"] != ask(server, PAGE).headers["etag"], "one per representation"
    again = ask(server, PAGE, Accept=JSON, If_None_Match=first.headers["etag"])
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    server.index.add(wheel("demo", "1.1"))
    changed = ask(server, PAGE, Accept=JSON, If_None_Match=first.headers["etag"])
    assert changed.status == 200
    assert int(changed.headers["x-pypi-last-serial"]) == int(first.headers["x-pypi-last-serial"]) + 1


def test_unknown_is_404_and_removed_is_gone(server: SocketUpstream) -> None:
    path = server.index.file_path(DEMO)
    assert ask(server, "/simple/other/").status == 404
    server.index.remove(DEMO)
    assert json.loads(ask(server, PAGE, Accept=JSON).body)["files"] == []
    assert ask(server, path).status == 404
    server.index.remove_project("demo")
    assert ask(server, PAGE).status == 404


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ("bytes=10-19", slice(10, 20)),
        ("bytes=9990-", slice(9990, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=0-99999999", slice(0, None)),
    ],
)
def test_ranges(server: SocketUpstream, spec: str, part: slice) -> None:
    answer = ask(server, server.index.file_path(DEMO), Range=spec)
    assert (answer.status, answer.body) == (206, DEMO.content[part])
    assert answer.headers["content-range"].endswith(f"/{len(DEMO.content)}")


def test_if_range_of_another_file_gets_all(server: SocketUpstream) -> None:
    path = server.index.file_path(DEMO)
    etag = ask(server, path).headers["etag"]
    assert ask(server, path, Range="bytes=5-", If_Range=etag).status == 206
    assert ask(server, path, Range="bytes=5-", If_Range='"other"').body == DEMO.content
    assert ask(server, path, Range="bytes=99999999-").status == 416


def test_head_has_the_length_and_no_body(server: SocketUpstream) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as client:
        for path in (server.index.file_path(DEMO), PAGE):
            client.request("HEAD", path)
            answer = client.getresponse()
            assert answer.read() == b""
            assert int(answer.headers["Content-Length"]) > 100
    assert server.index.count("HEAD") == 2


def test_upload_is_refused_and_the_connection_goes_on(server: SocketUpstream) -> None:
    with connect("127.0.0.1", server.port) as peer:
        peer.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /simple/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert [peer.read_answer().status, peer.read_answer().status] == [405, 200]


def test_what_a_style_leaves_out() -> None:
    with SocketUpstream(ScriptedIndex(PageStyle(json=False, hashes=False, serials=False, max_age=None))) as server:
        server.index.add(DEMO)
        answer = ask(server, PAGE, Accept=JSON)
        assert answer.headers["content-type"].startswith("text/html")
        assert b"sha256" not in answer.body.replace(b'data-core-metadata="sha256', b"")
        assert not {"x-pypi-last-serial", "cache-control"} & set(answer.headers)
    with SocketUpstream(ScriptedIndex(PageStyle(sizes=False, upload_times=False, gzip=True))) as server:
        server.index.add(DEMO)
        answer = ask(server, PAGE, Accept=JSON, Accept_Encoding="gzip")
        assert answer.headers["content-encoding"] == "gzip"
        (file,) = json.loads(gzip.decompress(answer.body))["files"]
        assert not {"size", "upload-time"} & set(file)
