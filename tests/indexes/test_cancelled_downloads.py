"""Downloads that end at each of the moments at which they wait for something (F21): nothing of them is left."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

from twisted.internet.defer import CancelledError, Deferred

from pypid.domain.errors import UpstreamUnavailable
from pypid.indexes.refusals import REFUSED
from pypid.indexes.source import Source
from tests.indexes.test_broken_downloads import BrokenTestCase
from tests.kit.upstream import Barrier, Fault, Fin, FlipByte, Hold
from tests.upstream.network import ASKING, ROOT, client_over, start

SIZE = 300_000


async def _kept(_: str) -> None: ...


class CancelledTests(BrokenTestCase):
    """Upstream has one turn, so that one which is not given back would be missed."""

    def setUp(self) -> None:
        super().setUp()
        self.replace(SIZE)
        self.fetcher = client_over(self.agent, self.clock, rules=replace(ASKING, max_connections=1))

    def begin(self) -> Deferred[bytes]:
        url = ROOT + self.path
        source = Source(url=url, sha256=self.demo.sha256, size=len(self.content), fetcher=self.fetcher)

        async def read() -> bytes:
            return await self.read_all(await self.downloads.open(source, _kept))

        return start(read())

    def scripted(self, *faults: Fault) -> Iterator[Barrier]:
        """Yield a place to wait at for each part of the answers: their heads, and some of their bodies."""
        for fault in faults:
            barriers = [Barrier(), Barrier(), Barrier()]
            head, middle, end = barriers
            self.index.script(self.path, fault | Hold(head) | Hold(middle, at=1000) | Hold(end, at=len(self.content)))
            yield from barriers

    def take(self, moment: int, barriers: list[Barrier]) -> bool:
        """Let the download go on to that moment, one wait at a time; return whether it waits then."""
        for _ in range(moment):
            if self.disk.waiting:
                self.disk.step()
            elif barriers:
                barriers.pop(0).release()
                self.flush()
            else:
                return False
        return True

    def end(self, barriers: list[Barrier]) -> None:
        """Let everything go on as far as it does."""
        self.disk.release()
        self.flush()
        for barrier in barriers:
            barrier.release()
        self.flush()
        self.disk.release()
        self.index.heal()

    def check_every_moment(self, cancel: Callable[[Deferred[bytes]], None], *faults: Fault) -> int:
        """Return how many moments there are."""
        for moment in count():
            with self.subTest(moment=moment):
                self.forget()
                self.clock.advance(REFUSED)
                barriers = list(self.scripted(*faults))
                self.disk.held = "*"
                reader = self.begin()
                waits = self.take(moment, barriers)
                cancel(reader)
                self.end(barriers)
                self.assertEqual((self.staged(), len(self.downloads), self.connections), ([], 0, 0))
                self.assertEqual(self.successResultOf(self.begin()), self.content)
            if not waits:
                return moment
        raise AssertionError

    def test_f21_client_leaves(self) -> None:
        def leave(reader: Deferred[bytes]) -> None:
            reader.cancel()
            if not isinstance(reader.result, bytes):
                self.failureResultOf(reader, CancelledError)

        self.assertGreater(self.check_every_moment(leave, Fault()), 10)
        self.assertGreater(self.check_every_moment(leave, Fin(at=2000), Fault()), 12)
        self.assertGreater(self.check_every_moment(leave, FlipByte(0), Fault()), 12)

    def test_f21_daemon_stops(self) -> None:
        def stop(reader: Deferred[bytes]) -> None:
            self.downloads.stop()
            reader.addErrback(lambda failure: failure.trap(UpstreamUnavailable))

        self.assertGreater(self.check_every_moment(stop, Fault()), 10)
        self.assertGreater(self.check_every_moment(stop, Fin(at=2000), Fault()), 12)
        self.assertGreater(self.check_every_moment(stop, FlipByte(0), Fault()), 12)
