"""Reading an index, of which pypid is only one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pypid.cli import index_reader
from pypid.cli.index_reader import BadIndexUrl, CannotGet, IndexReader, NotReachable, is_hit
from pypid.domain.cache_status import HIT
from pypid.domain.files import DistributionFile
from pypid.domain.names import normalize_name
from tests.kit.dists import wheel
from tests.kit.processes import free_port
from tests.kit.upstream import (
    Chunked,
    Fault,
    Fin,
    FlipByte,
    NoLength,
    PageStyle,
    Rst,
    ScriptedIndex,
    Send,
    SetHeaders,
    SocketUpstream,
    Stall,
    Status,
)

DEMO = normalize_name("demo")
DIST = wheel("demo", size=100_000)


@pytest.fixture
def reader(upstream: SocketUpstream) -> Iterator[IndexReader]:
    reader = IndexReader(upstream.url)
    yield reader
    reader.close()


@pytest.fixture
def file(index: ScriptedIndex, reader: IndexReader) -> DistributionFile:
    index.add(DIST)
    (file,) = reader.page(DEMO)
    return file


def test_page_metadata_and_file(index: ScriptedIndex, reader: IndexReader, file: DistributionFile) -> None:
    """All on one connection, uncompressed."""
    assert DIST.metadata is not None
    assert reader.metadata(file) == DIST.metadata
    got = reader.fetch(file)
    assert (got.file, got.read, got.already_there) == (file, len(DIST.content), None)
    assert len({seen.peer_port for seen in index.requests}) == 1
    assert {seen.headers["accept-encoding"] for seen in index.requests} == {"identity"}
    assert reader.received > len(DIST.content)


@pytest.mark.parametrize("fault", [Chunked(), NoLength()])
def test_every_framing(index: ScriptedIndex, reader: IndexReader, file: DistributionFile, fault: Fault) -> None:
    index.script("*.whl", fault)
    assert reader.fetch(file).read == len(DIST.content)
    assert reader.page(DEMO) == (file,)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fin(at=5000), "it broke off"),
        (Rst(at=5000), "it broke off"),
        (Chunked() | Fin(at=5000), "it broke off"),
        (Send(b"gibberish\r\n\r\n"), "it broke off: gibberish"),
        (Status(503, {"Retry-After": "7"}), "503 "),
        (Status(502), "502 "),
    ],
)
def test_what_may_pass_says_when(
    index: ScriptedIndex, reader: IndexReader, file: DistributionFile, fault: Fault, reason: str
) -> None:
    """And the next request works."""
    index.script("*.whl", fault)
    with pytest.raises(CannotGet, match=reason) as raised:
        reader.fetch(file)
    assert raised.value.retry_after == (7 if fault == Status(503, {"Retry-After": "7"}) else 1)
    assert reader.fetch(file).read == len(DIST.content)


@pytest.mark.parametrize("retry_after", ["soon", "", "99999999999999999999", "٣"])
def test_a_retry_after_that_is_no_number(
    index: ScriptedIndex, reader: IndexReader, file: DistributionFile, retry_after: str
) -> None:
    index.script("*.whl", Status(503, {"Retry-After": retry_after.encode().decode("latin-1")}))
    with pytest.raises(CannotGet) as raised:
        reader.fetch(file)
    assert raised.value.retry_after == 1


def test_what_will_not_pass(index: ScriptedIndex, reader: IndexReader, file: DistributionFile) -> None:
    """Wrong bytes, wrong metadata, a page that is none, a project that does not exist, a redirect."""
    index.script("*.whl", FlipByte(500))
    with pytest.raises(CannotGet, match=f"it has sha256 .*, its page says {DIST.sha256}") as raised:
        reader.fetch(file)
    assert raised.value.retry_after is None
    index.script("*.metadata", FlipByte(3))
    with pytest.raises(CannotGet, match="it has sha256"):
        reader.metadata(file)
    index.script("/simple/demo/", Status(200, {"Content-Type": "text/html"}, b"<html>"))
    with pytest.raises(CannotGet, match="not a project page"):
        reader.page(DEMO)
    for number in (301, 401, 404):
        index.script("/simple/demo/", Status(number, {"Location": "https://other.test/"}))
        with pytest.raises(CannotGet, match=rf"{number} .*, at https://other\.test/"):
            reader.page(DEMO)


def test_without_digests(index: ScriptedIndex, reader: IndexReader, file: DistributionFile) -> None:
    """What nobody can verify is read all the same."""
    assert reader.metadata(replace(file, core_metadata="")) == DIST.metadata
    index.script("*.whl", FlipByte(500))
    assert reader.fetch(replace(file, sha256="")).read == len(DIST.content)


def test_what_is_already_there(
    index: ScriptedIndex, reader: IndexReader, file: DistributionFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short file is read and verified; a long one is not, and costs no more than a connection."""
    hit = SetHeaders({"Cache-Status": "pypid; hit"})
    index.script("*.whl", hit)
    assert reader.fetch(file).already_there
    monkeypatch.setattr(index_reader, "SKIP", 10)
    index.script("*.whl", hit | Fin(at=50))
    got = reader.fetch(file)
    assert (got.already_there, got.read) == (True, 0)
    index.script("*.whl", SetHeaders({"Cache-Status": "pypid; fwd=uri-miss; stored"}))
    got = reader.fetch(file)
    assert (got.already_there, got.read) == (False, len(DIST.content))


@pytest.mark.parametrize("value", ["pypid; hit", "pypid;hit;ttl=5", "nginx; fwd=miss, pypid; ttl=5; hit", HIT.render()])
def test_a_hit(value: str) -> None:
    assert is_hit(value)


@pytest.mark.parametrize(
    "value",
    ["pypid; fwd=uri-miss; stored", "pypid; fwd=stale; detail=hit", "pypid; fwd=uri-miss, nginx; hit", "pypid", ""],
)
def test_no_hit(value: str) -> None:
    assert not is_hit(value)


def test_too_long(reader: IndexReader, file: DistributionFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_reader, "MAX_PAGE", 100)
    with pytest.raises(CannotGet, match="longer than 100 bytes"):
        reader.page(DEMO)
    monkeypatch.setattr(index_reader, "MAX_METADATA", 10)
    with pytest.raises(CannotGet, match="longer than 10 bytes"):
        reader.metadata(file)


def test_a_connection_that_was_closed_meanwhile(
    index: ScriptedIndex, upstream: SocketUpstream, reader: IndexReader, file: DistributionFile
) -> None:
    """As the daemon does with idle ones: it is asked again."""
    upstream.stop()
    upstream.start()
    assert reader.fetch(file).read == len(DIST.content)
    assert index.count(glob="*.whl") == 1


def test_nothing_there(upstream: SocketUpstream, reader: IndexReader, file: DistributionFile) -> None:
    upstream.stop()
    with pytest.raises(NotReachable, match=rf"no pypid answers at {upstream.url}: Connection refused"):
        reader.fetch(file)
    with pytest.raises(NotReachable, match="no pypid answers"):
        IndexReader(f"http://127.0.0.1:{free_port()}/simple/").check()


def test_is_it_an_index(index: ScriptedIndex, upstream: SocketUpstream, reader: IndexReader) -> None:
    reader.check()
    other = IndexReader(f"{upstream.root}/other/simple/")
    with pytest.raises(CannotGet, match=rf"^{upstream.root}/other/simple/: 404 "):
        other.check()
    index.style = PageStyle(json=False)
    with pytest.raises(CannotGet, match="not the Simple API in JSON"):
        reader.check()


def test_credentials(index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """Those in the URL are sent, and never shown."""
    reader = IndexReader(upstream.url.replace("//", "//al%69ce:p%40ss@"))
    reader.check()
    assert index.requests[0].headers["authorization"] == "Basic YWxpY2U6cEBzcw=="
    assert reader.url == upstream.url
    reader.close()


def test_a_page_that_links_elsewhere(reader: IndexReader) -> None:
    """This is a client of pypid, whose pages never do; nothing is asked of others."""
    other = DistributionFile(filename="demo-1.0.tar.gz", sha256="a" * 64, origin="http://files.test/demo-1.0.tar.gz")
    with pytest.raises(CannotGet, match="links to another host"):
        reader.fetch(other)


def test_abort_ends_what_waits(index: ScriptedIndex, reader: IndexReader, file: DistributionFile) -> None:
    """Another thread's read, at once; and nothing begins afterwards."""
    stall = Stall(at=5000)
    index.script("*.whl", stall)
    outcome: list[CannotGet] = []

    def fetch() -> None:
        with pytest.raises(CannotGet) as raised:
            reader.fetch(file)
        outcome.append(raised.value)

    thread = threading.Thread(target=fetch)
    thread.start()
    stall.barrier.wait_reached()
    reader.abort()
    thread.join(10)
    assert len(outcome) == 1
    with pytest.raises((CannotGet, NotReachable)):
        reader.fetch(file)
    assert index.count(glob="*.whl") == 1


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://h/", "http://", "http://h:x/", "http://h/?a", "http://h/#", "http://h/é"]
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(BadIndexUrl):
        IndexReader(url)
