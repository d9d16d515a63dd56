"""Looking through directories again and again: what is shown of them is what the last look has found."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as WaitedTooLong
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from pypid.domain.catalogue import Catalogue
from pypid.domain.errors import UpstreamUnavailable
from pypid.domain.loose_files import LooseFile
from pypid.domain.names import IndexName, shorten
from pypid.domain.sightings import FileState
from pypid.domain.stock import Stock
from pypid.flight import SingleFlight
from pypid.offload import Offload
from pypid.storage.loose_memory import LooseMemory
from pypid.storage.loose_reading import FileChanged, Interrupted, read_file
from pypid.storage.loose_tree import Tree, survey

BATCH = 200
"""Files that are read before they are remembered: a kill during the first look costs reading so many again."""

PATIENCE = 10.0
"""Seconds for which a request waits for the first look: less than pip's 15."""

DAMAGED = "its bytes are not those that were read, though nobody has written it: is the disk damaged?"


class Looks:
    """
    Keeps a `Catalogue` of the files in ``roots`` up to date.

    A directory that cannot be read may have any project: nothing is certain
    then. So it is where files are known and there is nothing at all any more:
    this is how a directory looks whose disk is not mounted.
    """

    _log = Logger()

    def __init__(
        self,
        index: IndexName,
        roots: Sequence[Path],
        *,
        memory: LooseMemory,
        offload: Offload,
        now: Callable[[], float],
        clock: IReactorTime,
    ) -> None:
        """``index``: whose they are, for messages; ``now``: seconds since 1970."""
        self.index = index
        self.roots = tuple(map(str, roots))
        self.compared: dict[str, FileState] = {}
        """The files, by path, whose bytes were read by this process, and the state in which they were."""
        self._memory = memory
        self._offload = offload
        self._now = now
        self._clock = clock
        self._flights: SingleFlight[None, None] = SingleFlight()
        self._stock: Stock | None = None
        self._catalogue: Catalogue | None = None
        self._trouble: str | None = None
        self._waiting: list[Deferred[None]] = []
        self._damaged: list[LooseFile] = []
        self._stopped = False
        self._life, self._count = uuid.uuid4().hex, 0

    # For those who ask.

    @property
    def revision(self) -> str:
        """While it stays, the catalogue does."""
        return "none" if self._catalogue is None else self._catalogue.revision

    async def known(self) -> Catalogue | None:
        """Return what was found last, though it cannot be read now; None if nothing was found yet."""
        if self._catalogue is None and self._trouble is None:
            await self._first_look()
        return self._catalogue

    async def catalogue(self) -> Catalogue:
        """Return what there is. Raises `UpstreamUnavailable` while nobody can know."""
        known = await self.known()
        if self._trouble is not None:
            raise self.unavailable("cannot be read; pypid's log says why")
        if known is None:
            raise self.unavailable("is still being looked through")
        return known

    def unavailable(self, what: str) -> UpstreamUnavailable:
        error = UpstreamUnavailable(f"the directory of {self.index} {what}")
        error.cache_status = None  # nobody else was asked
        return error

    def distrust(self, file: LooseFile) -> None:
        """Note that the bytes of ``file`` are not those that were read of it, and that its state is the same."""
        self._damaged.append(replace(file, problem=DAMAGED))

    async def _first_look(self) -> None:
        waiter: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiter)
        try:
            await waiter.addTimeout(PATIENCE, self._clock)
        except WaitedTooLong:
            return

    # For those who keep it up to date.

    @property
    def is_waiting(self) -> bool:
        """Whether the last look has found a file that may be half copied."""
        return self._stock is not None and self._stock.is_waiting

    def look(self) -> Deferred[None]:
        """Look, and read what is new; fires when that is shown. While one look is under way it is that one."""
        return self._flights.join(None, self._look)

    def stop(self) -> Deferred[None]:
        """Fire when the look that is under way has ended, which is soon; no other begins."""
        self._stopped = True
        return self._flights.join(None, self._look)

    async def _look(self) -> None:
        if self._stopped:
            return
        if self._stock is None:
            self._stock = Stock(await self._memory.below(self.roots))
        try:
            tree = await self._offload(survey, self.roots)
        except OSError as e:
            self._lose(f"{shorten(str(e.filename), 300)} cannot be read: {e.strerror}")
            return
        missing = [root for root in tree.empty if self._stock.knows_below(f"{root.rstrip('/')}/")]
        if missing:
            self._lose(f"{missing[0]} had files and is empty: is its disk mounted? If it is, put any file there")
            return
        await self._take(self._stock, tree)

    async def _take(self, stock: Stock, tree: Tree) -> None:
        unread = await self._offload(stock.compare, tree.files, self._now())
        if self._catalogue is None:
            await self._show(stock, unread)
        damaged, self._damaged = self._damaged, []
        await self._learn(stock, damaged)
        await self._read(stock, unread)
        gone = await self._offload(stock.drop_gone)
        for path in gone:
            self.compared.pop(path, None)
        if gone:
            await self._remembered(self._memory.forget(gone))
        if not self._stopped:
            await self._show(stock, [])

    async def _read(self, stock: Stock, unread: Sequence[str]) -> None:
        files: list[LooseFile] = []
        for path in unread:
            try:
                reading = self._offload(read_file, self.roots, path, stock.state(path), stopped=lambda: self._stopped)
                files.append(await reading)
            except FileChanged:
                continue  # the next look will tell
            except Interrupted:
                break
            except OSError as e:
                stock.say_once(path, f"{shorten(path, 300)} is not offered: {e.strerror}")
                continue
            self.compared[path] = files[-1].state
            if len(files) == BATCH:
                await self._learn(stock, files)
                files = []
        await self._learn(stock, files)

    async def _learn(self, stock: Stock, files: Sequence[LooseFile]) -> None:
        for file in files:
            stock.learn(file)
        if files:
            await self._remembered(self._memory.keep(files))

    async def _remembered(self, writing: Awaitable[None]) -> None:
        try:
            await writing
        except OSError as e:
            # What is shown does not depend on it.
            self._log.warn("what was read of {index} cannot be remembered: {why}", index=self.index, why=e)

    async def _show(self, stock: Stock, unread: Sequence[str]) -> None:
        self._count += 1
        catalogue = await self._offload(stock.catalogue, f"{self._life} {self._count}", unread)
        for text in stock.news():
            self._log.warn("{index}: {text}", index=self.index, text=text)
        if self._trouble is not None:
            self._log.info("{index}: its directory can be read again", index=self.index)
            self._trouble = None
        if catalogue is not None:
            self._catalogue = catalogue
            self._log.info(
                "{index}: {count} files to offer, {unread} to be read",
                index=self.index,
                count=catalogue.count,
                unread=len(unread),
            )
        self._wake()

    def _lose(self, why: str) -> None:
        if why != self._trouble:
            self._log.error("{index}: {why}", index=self.index, why=why)
        self._trouble = why
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)
