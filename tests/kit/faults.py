"""
What a scripted upstream does wrong: small values that compose with ``|``.

    index.script("/simple/demo/", Status(503), Status(503))     # the first two requests; then all is well
    index.script("/packages/*", FlipByte(-1), times=None)       # every request, until `ScriptedIndex.heal`
    index.script("/packages/*", Hold(barrier, at=1000) | Rst(at=2000))  # one request, two faults

A fault is a function over `Reply` (`change`) and over the actions that send it (`deliver`). ``at`` counts bytes
of the body; ``at=None`` means before the first byte of the head. Where a fault needs a moment, it is a
`Barrier`: the test waits until a request has reached it, looks, and releases it. Nothing sleeps.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.kit.actions import Action, Actions, Barrier, End, Framing, Pause, Raw, Reply


class Fault:
    """A normal answer; what is wrong is what a subclass overrides."""

    def change(self, reply: Reply) -> Reply:
        return reply

    def deliver(self, actions: Actions) -> Actions:
        return actions

    def __or__(self, other: Fault) -> Fault:
        return _Both(self, other)


def actions_of(reply: Reply, fault: Fault) -> Actions:
    """Return all that is done to send ``reply`` with ``fault``."""
    changed = fault.change(reply)
    return fault.deliver(iter([changed, changed.body] if changed.body else [changed]))


@dataclass(frozen=True)
class _Both(Fault):
    first: Fault
    second: Fault

    def change(self, reply: Reply) -> Reply:
        return self.second.change(self.first.change(reply))

    def deliver(self, actions: Actions) -> Actions:
        return self.second.deliver(self.first.deliver(actions))


@dataclass(frozen=True)
class Status(Fault):
    """Another status, with nothing of the normal answer; also for a 200 with a body of the test's own."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"scripted\n"

    def change(self, reply: Reply) -> Reply:  # noqa: ARG002
        plain = Reply(self.status, {"Content-Type": "text/plain", "Content-Length": str(len(self.body))}, self.body)
        return plain.with_headers(self.headers)


def redirect(location: str, status: int = 302) -> Status:
    return Status(status, {"Location": location})


@dataclass(frozen=True)
class SetHeaders(Fault):
    """The same answer with other headers; None leaves one out."""

    headers: Mapping[str, str | None]

    def change(self, reply: Reply) -> Reply:
        return reply.with_headers(self.headers)


def wrong_type(content_type: str | None) -> SetHeaders:
    return SetHeaders({"Content-Type": content_type})


@dataclass(frozen=True)
class FlipByte(Fault):
    """One byte of the body is not what it was; ``at`` may count from the end."""

    at: int

    def change(self, reply: Reply) -> Reply:
        body = bytearray(reply.body)
        if body:  # else a HEAD, or a 304
            body[self.at] ^= 0xFF
        return replace(reply, body=bytes(body))


@dataclass(frozen=True)
class Append(Fault):
    """More bytes than announced."""

    data: bytes

    def deliver(self, actions: Actions) -> Actions:
        yield from actions
        yield Raw(self.data)


@dataclass(frozen=True)
class NoLength(Fault):
    """The end of the body is the end of the connection."""

    def change(self, reply: Reply) -> Reply:
        return replace(reply, framing=Framing.CLOSE).with_headers({"Content-Length": None, "Connection": "close"})


@dataclass(frozen=True)
class Chunked(Fault):
    def change(self, reply: Reply) -> Reply:
        headers = {"Content-Length": None, "Transfer-Encoding": "chunked"}
        return replace(reply, framing=Framing.CHUNKED).with_headers(headers)


@dataclass(frozen=True)
class Send(Fault):
    """These bytes in place of any HTTP, then the end of the connection."""

    data: bytes
    end: End = End.FIN

    def deliver(self, actions: Actions) -> Actions:  # noqa: ARG002
        yield Raw(self.data)
        yield self.end


@dataclass(frozen=True)
class Drip(Fault):
    """The body in pieces of ``size`` bytes, a pause of ``seconds`` after each."""

    size: int
    seconds: float

    def deliver(self, actions: Actions) -> Actions:
        for action in actions:
            if not isinstance(action, bytes):
                yield action
                continue
            for start in range(0, len(action), self.size):
                yield action[start : start + self.size]
                yield Pause(self.seconds)


@dataclass(frozen=True)
class Hold(Fault):
    """Wait at ``barrier``."""

    barrier: Barrier
    at: int | None = None

    def deliver(self, actions: Actions) -> Actions:
        return _insert(actions, self.at, self.barrier)


class Stall(Hold):
    """Send nothing more; the connection stays open until the client or `stop` ends it."""

    def __init__(self, at: int | None = None) -> None:
        super().__init__(Barrier(), at)


@dataclass(frozen=True)
class Rst(Fault):
    """Reset the connection."""

    at: int | None = None

    def deliver(self, actions: Actions) -> Actions:
        return _insert(actions, self.at, End.RST)


@dataclass(frozen=True)
class Fin(Fault):
    """Announce the whole, send the first ``at`` bytes, close in good order."""

    at: int | None = None

    def deliver(self, actions: Actions) -> Actions:
        return _insert(actions, self.at, End.FIN)


class HeldBody(Fault):
    """
    A body that the test sends by hand, after the head of the normal answer.

    What is sent before the request arrives is kept for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._script: list[Action | None] = []
        self._more = Barrier()
        self.requested = Barrier()
        """``requested.wait_reached()`` returns when the request has come."""
        self.requested.release()

    def send(self, data: bytes) -> None:
        self._push(data)

    def finish(self) -> None:
        """End the body in good order."""
        self._push(None)

    def abort(self) -> None:
        """Reset the connection."""
        self._push(End.RST)

    def _push(self, action: Action | None) -> None:
        with self._lock:
            self._script.append(action)
            more, self._more = self._more, Barrier()
        more.release()

    def deliver(self, actions: Actions) -> Actions:
        yield self.requested
        yield next(actions)
        while True:
            with self._lock:
                waiting = None if self._script else self._more
                action = self._script.pop(0) if self._script else None
            if waiting is not None:
                yield waiting
            elif action is None:
                return
            else:
                yield action


def _insert(actions: Actions, at: int | None, what: Action) -> Actions:
    """Yield ``actions`` with ``what`` after the first ``at`` bytes of the body, or at its end if it is shorter."""
    if at is None:
        yield what
        yield from actions
        return
    left = at
    for action in actions:
        if not isinstance(action, bytes) or left < 0:
            yield action
        elif len(action) < left:
            left -= len(action)
            yield action
        else:
            yield from filter(None, [action[:left], what, action[left:]])
            left = -1
    if left >= 0:
        yield what
