"""What the scripted index does wrong, as a client sees it."""

import pytest

from tests.kit.dists import wheel
from tests.kit.rawclient import connect, get
from tests.kit.upstream import (
    Append,
    Barrier,
    Chunked,
    Drip,
    Fault,
    Fin,
    FlipByte,
    Hold,
    NoLength,
    Rst,
    ScriptedIndex,
    Send,
    SocketUpstream,
    Stall,
    Status,
    redirect,
    wrong_type,
)

DEMO = wheel("demo", "1.0", requires_python=">=3.9", size=10_000)
PAGE = "/simple/demo/"


@pytest.fixture
def server(index: ScriptedIndex, upstream: SocketUpstream) -> SocketUpstream:
    index.add(DEMO)
    return upstream


def test_scripts_are_used_up_in_order(server: SocketUpstream) -> None:
    server.index.script("/simple/*", Status(503, {"Retry-After": "7"}), redirect("/elsewhere"))
    answers = [get(server.root + PAGE) for _ in range(3)]
    assert [answer.status for answer in answers] == [503, 302, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert answers[1].headers["location"] == "/elsewhere"


def test_standing_fault_stands_until_healed(server: SocketUpstream) -> None:
    server.index.script("*", Status(500), times=None)
    assert {get(server.root + PAGE).status for _ in range(5)} == {500}
    server.index.heal()
    assert get(server.root + PAGE).status == 200


@pytest.mark.parametrize("end", [Rst, Fin])
@pytest.mark.parametrize("at", [0, 1, len(DEMO.content) - 1])
def test_cut_body_is_seen_as_cut(server: SocketUpstream, end: type[Rst | Fin], at: int) -> None:
    path = server.index.file_path(DEMO)
    server.index.script(path, end(at=at))
    with connect("127.0.0.1", server.port) as peer:
        peer.request("GET", path)
        answer = peer.read_answer()
    assert not answer.complete
    assert int(answer.headers["content-length"]) == len(DEMO.content)
    assert peer.was_reset == (end is Rst)
    if end is Fin:  # a reset may overtake what was sent before it
        assert answer.body == DEMO.content[:at]


def test_reset_before_any_byte(server: SocketUpstream) -> None:
    server.index.script(PAGE, Rst())
    with pytest.raises(EOFError):
        get(server.root + PAGE)


def test_flipped_byte(server: SocketUpstream) -> None:
    path = server.index.file_path(DEMO)
    server.index.script(path, FlipByte(-1))
    answer = get(server.root + path)
    assert answer.complete
    assert answer.body[:-1] == DEMO.content[:-1]
    assert answer.body[-1] == DEMO.content[-1] ^ 0xFF


@pytest.mark.parametrize("fault", [NoLength(), Chunked(), Chunked() | Drip(4096, 0.0)])
def test_other_framings_carry_the_same_body(server: SocketUpstream, fault: Fault) -> None:
    path = server.index.file_path(DEMO)
    server.index.script(path, fault)
    answer = get(server.root + path)
    assert answer.complete
    assert "content-length" not in answer.headers
    assert answer.body == DEMO.content


def test_chunked_without_last_chunk(server: SocketUpstream) -> None:
    path = server.index.file_path(DEMO)
    server.index.script(path, Chunked() | Fin(at=len(DEMO.content)))
    answer = get(server.root + path)
    assert (answer.body, answer.complete) == (DEMO.content, False)


def test_more_than_announced(server: SocketUpstream) -> None:
    server.index.script(PAGE, Append(b"stray") | wrong_type("application/json"))
    with connect("127.0.0.1", server.port) as peer:
        peer.request("GET", PAGE, {"Connection": "close"})
        assert peer.read_answer().headers["content-type"] == "application/json"
        assert peer.read_to_end() == b"stray"


def test_no_http_at_all(server: SocketUpstream) -> None:
    server.index.script(PAGE, Send(b"220 smtp.example ESMTP\r\n"))
    with connect("127.0.0.1", server.port) as peer:
        peer.request("GET", PAGE)
        assert peer.read_to_end() == b"220 smtp.example ESMTP\r\n"


@pytest.mark.parametrize("at", [None, 0, 5000])
def test_barrier_holds_just_where_it_should(server: SocketUpstream, at: int | None) -> None:
    path, barrier = server.index.file_path(DEMO), Barrier()
    server.index.script(path, Hold(barrier, at=at))
    with connect("127.0.0.1", server.port) as peer:
        peer.request("GET", path)
        barrier.wait_reached()
        if at is not None:
            peer.read_head()
            assert peer.read(at) == DEMO.content[:at]
        peer.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            peer.read(1)
        peer.socket.settimeout(10)
        barrier.release()
        if at is None:
            assert peer.read_answer().body == DEMO.content
        else:
            assert peer.read(len(DEMO.content) - at) == DEMO.content[at:]


def test_barrier_that_nobody_reaches_says_so() -> None:
    with pytest.raises(TimeoutError, match="0 of 2 requests"):
        Barrier().wait_reached(0.01, count=2)


def test_client_that_leaves_a_stalled_answer_is_noticed(server: SocketUpstream) -> None:
    server.index.script(PAGE, Stall(at=3))
    with connect("127.0.0.1", server.port) as peer:
        peer.request("GET", PAGE)
        peer.read_head()
    server.wait_connections(0)
    assert server.index.requests[0].left


def test_body_by_hand(server: SocketUpstream) -> None:
    path = server.index.file_path(DEMO)
    held = server.index.hold_body(path)
    with connect("127.0.0.1", server.port) as peer:
        peer.request("GET", path)
        held.requested.wait_reached()
        held.send(DEMO.content[:10])
        assert peer.read_head().headers["content-length"] == str(len(DEMO.content))
        assert peer.read(10) == DEMO.content[:10]
        held.abort()
        assert peer.is_closed()
        assert peer.was_reset
