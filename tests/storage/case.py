"""What the tests of the storage layer stand on: a directory of their own, and an `Offload` run by hand."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

P = ParamSpec("P")
T = TypeVar("T")


class ManualOffload:
    """An `Offload` whose functions are called, and their outcomes delivered, when the test says so."""

    def __init__(self) -> None:
        self._handed_in: deque[Callable[[], Deferred[Any]]] = deque()
        self._waiting: deque[Deferred[Any]] = deque()
        self._done: deque[tuple[Deferred[Any], Deferred[Any]]] = deque()

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        waiting: Deferred[T] = Deferred()
        self._handed_in.append(lambda: maybeDeferred(function, *args, **kwargs))
        self._waiting.append(waiting)
        return waiting

    def call(self) -> None:
        """Call the next function; what came of it is not told yet."""
        self._done.append((self._handed_in.popleft()(), self._waiting.popleft()))

    def deliver(self) -> None:
        """Tell what came of the first function that was called."""
        outcome, waiting = self._done.popleft()
        outcome.chainDeferred(waiting)

    def run(self) -> None:
        """Call and deliver until nobody asks for more."""
        while self._handed_in or self._done:
            if not self._done:
                self.call()
            self.deliver()


class StorageCase(SynchronousTestCase):
    """With a directory that goes when the test is over."""

    def setUp(self) -> None:
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = Path(temporary.name)

    def result(self, call: Coroutine[Deferred[Any], Any, T]) -> T:
        """Be `successResultOf`, with a type."""
        outcome: T = self.successResultOf(call)
        return outcome

    def files(self) -> list[str]:
        """Return the paths of all files in the directory, sorted."""
        return sorted(str(path.relative_to(self.directory)) for path in self.directory.rglob("*") if path.is_file())

    def assert_closed(self, descriptor: int) -> None:
        with self.assertRaises(OSError):
            os.fstat(descriptor)


def open_descriptors() -> set[str]:
    """Return the targets of this process's open descriptors that are in the file system."""
    found: set[str] = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(str(entry.readlink()))
        except FileNotFoundError:
            continue  # the one of the listing itself
    return found
