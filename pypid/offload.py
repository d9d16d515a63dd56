"""Blocking work, done elsewhere than on the reactor's thread."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any, ParamSpec, Protocol, TypeVar

from twisted.internet.defer import Deferred, execute
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")


class Offload(Protocol):
    """
    Call a function that may block.

    Cancelling the Deferred lets the caller go; the function runs to its end.
    """

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]: ...


class Threads:
    """
    An `Offload` onto ``size`` threads of its own.

    Each kind of work has its own, so that a storm of one (say, password
    checks) cannot starve another (Twisted's shared pool also does DNS).
    """

    def __init__(self, reactor: IReactorFromThreads, name: str, size: int) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=0, maxthreads=size, name=f"pypid-{name}")

    def start(self) -> None:
        self._pool.start()

    def stop(self) -> None:
        """Return when the work that had been handed in is done; blocks until then."""
        self._pool.stop()

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        done: Deferred[T] = deferToThreadPool(self._reactor, self._pool, function, *args, **kwargs)
        return done


class LooseThreads:
    """
    An `Offload` that gives each call a thread of its own, which nobody waits for when the process ends.

    For calls that can hang for longer than anybody wants to wait; how many
    there are at once is up to the caller.
    """

    def __init__(self, reactor: IReactorFromThreads, name: str) -> None:
        self._reactor = reactor
        self._name = f"pypid-{name}"

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        done: Deferred[T] = Deferred()

        def run() -> None:
            try:
                outcome: T | Failure = function(*args, **kwargs)
            except Exception:  # noqa: BLE001  (whatever it is, the caller gets it)
                outcome = Failure()
            self._reactor.callFromThread(done.callback, outcome)

        Thread(target=run, name=self._name, daemon=True).start()
        return done


def inline(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
    """Be an `Offload` that calls at once, for tests and for command-line tools."""
    done: Deferred[Any] = execute(function, *args, **kwargs)
    return done
