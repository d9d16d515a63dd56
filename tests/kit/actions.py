"""
The steps of which a scripted answer consists, whoever performs them.

    barrier = Barrier()
    steps = iter([Reply(200, {"Content-Length": "4"}), b"wh", barrier, b"ee"])
    barrier.wait_reached(); barrier.release()  # in the test's thread, while a transport performs the steps
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from http import HTTPStatus


class Framing(Enum):
    """How a client learns where the body ends."""

    LENGTH = auto()
    CHUNKED = auto()
    CLOSE = auto()


class End(Enum):
    """The end of a connection in mid-answer."""

    RST = auto()
    FIN = auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is sent; ``headers`` are what is announced, true or not."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    framing: Framing = Framing.LENGTH

    @property
    def reason(self) -> str:
        return HTTPStatus(self.status).phrase if self.status in set(HTTPStatus) else "Scripted"

    def with_headers(self, headers: Mapping[str, str | None]) -> Reply:
        """Return the same with ``headers`` set, or left out where None."""
        changed = {name.lower() for name in headers}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in changed}
        return replace(self, headers=kept | {name: value for name, value in headers.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes for the wire as they are, outside any framing."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """A slow upstream, for the few tests where real time is the point."""

    seconds: float


class Barrier:
    """A place where requests wait until the test lets them go on."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiters: list[Callable[[], object]] = []
        self.reached = 0
        """How many requests have come to it."""
        self.released = False

    def arrive(self) -> None:
        """Called by the upstream."""
        with self._changed:
            self.reached += 1
            self._changed.notify_all()

    def wait_reached(self, timeout: float = 10, *, count: int = 1) -> None:
        """Block until ``count`` requests have come; `TimeoutError` after ``timeout`` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.reached >= count, timeout):
                raise TimeoutError(f"{self.reached} of {count} requests reached the barrier in {timeout} s")

    def wait_released(self, timeout: float) -> bool:
        """Block until released or ``timeout`` seconds have passed; return whether released."""
        with self._changed:
            return self._changed.wait_for(lambda: self.released, timeout)

    def when_released(self, resume: Callable[[], object]) -> None:
        """Call ``resume`` at the release, or now if that is past."""
        with self._changed:
            if not self.released:
                self._waiters.append(resume)
                return
        resume()

    def release(self) -> None:
        """Let go on who waits, and who comes later."""
        with self._changed:
            self.released = True
            self._changed.notify_all()
            waiters, self._waiters = self._waiters, []
        for resume in waiters:
            resume()


Action = Reply | bytes | Raw | Pause | Barrier | End
"""One step of sending: a `Reply` sends its head, bytes are some of its body."""
Actions = Iterator[Action]
