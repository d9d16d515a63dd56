"""
A scripted upstream, served over a real socket or in memory.

    index = ScriptedIndex(); demo = index.add(wheel("demo"))
    upstream = SocketUpstream(index); upstream.start()  # upstream.url == "http://127.0.0.1:PORT/simple/"
    treq = StubTreq(upstream_resource(index))           # the same index for a unit test; no thread, no port

Faults are in `tests.kit.faults`; all but `Send`, `Append` and `Drip` work in memory as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import ITCPTransport
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from tests.kit.actions import Action, Actions, Barrier, End, Reply
from tests.kit.faults import (
    Append,
    Chunked,
    Drip,
    Fault,
    Fin,
    FlipByte,
    HeldBody,
    Hold,
    NoLength,
    Rst,
    Send,
    SetHeaders,
    Stall,
    Status,
    redirect,
    wrong_type,
)
from tests.kit.pages import PYPI, PageStyle
from tests.kit.scripted import ScriptedIndex, Seen
from tests.kit.sockets import SocketUpstream

__all__: Sequence[str] = [
    "PYPI",
    "Append",
    "Barrier",
    "Chunked",
    "Drip",
    "End",
    "Fault",
    "Fin",
    "FlipByte",
    "HeldBody",
    "Hold",
    "NoLength",
    "PageStyle",
    "Rst",
    "ScriptedIndex",
    "Seen",
    "Send",
    "SetHeaders",
    "SocketUpstream",
    "Stall",
    "Status",
    "redirect",
    "upstream_resource",
    "wrong_type",
]


def upstream_resource(index: ScriptedIndex) -> Resource:
    """
    Return ``index`` as a resource, for `treq.testing.StubTreq`.

    A held answer goes on when its barrier is released, or more is sent;
    ``StubTreq.flush()`` then carries it to the client.
    """
    return _ScriptedResource(index)


class _ScriptedResource(Resource):
    isLeaf = True

    def __init__(self, index: ScriptedIndex) -> None:
        super().__init__()
        self._index = index

    def render(self, request: Request) -> int:
        path, _, query = request.uri.decode("ascii").partition("?")
        headers = {
            name.decode("ascii").lower(): ", ".join(value.decode("latin-1") for value in values)
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        seen = Seen(
            method=request.method.decode("ascii"),
            path=path,
            query=query,
            headers=headers,
            scheme="https" if request.isSecure() else "http",
            peer_port=getattr(request.getClientAddress(), "port", 0),
        )
        _Exchange(request, seen, self._index.answer(seen)).go_on()
        return NOT_DONE_YET


class _Exchange:
    """One request and the actions that answer it, resumed whenever a barrier opens."""

    def __init__(self, request: Request, seen: Seen, actions: Actions) -> None:
        self._request = request
        self._seen = seen
        self._actions = actions
        request.notifyFinish().addErrback(self._left)

    def _left(self, _: object) -> None:
        self._seen.left = True

    def go_on(self) -> None:
        for action in self._actions:
            if self._seen.left:
                return
            if isinstance(action, Barrier):
                action.arrive()
                action.when_released(self.go_on)
                return
            if isinstance(action, End):
                ITCPTransport(self._request.transport).abortConnection()
                return
            self._perform(action)
        if not self._seen.left:
            self._request.finish()

    def _perform(self, action: Action) -> None:
        if isinstance(action, Reply):
            self._request.setResponseCode(action.status, action.reason.encode("ascii"))
            for name, value in action.headers.items():
                # Twisted frames a body without a length itself.
                if name not in {"Transfer-Encoding", "Connection"}:
                    self._request.setHeader(name.encode("ascii"), value.encode("latin-1"))
            # Sends the head, which Twisted would keep until there is some body.
            self._request.write(b"")
        elif isinstance(action, bytes):
            self._request.write(action)
        else:
            raise TypeError(f"{action} needs a SocketUpstream")
