"""An upstream that goes wrong in every way, by chance, in phases; and the record of what it was asked."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.kit.actions import Actions, Framing, Reply
from tests.kit.faults import (
    Append,
    Chunked,
    Drip,
    Fault,
    Fin,
    FlipByte,
    NoLength,
    Rst,
    SetHeaders,
    Stall,
    Status,
    actions_of,
)
from tests.kit.pages import JSON
from tests.kit.scripted import ScriptedIndex, Seen

Choose = Callable[[random.Random], Fault]

COMMON: tuple[Choose, ...] = (
    lambda rng: Status(rng.choice([500, 502, 503, 504])),
    lambda rng: Status(429, {"Retry-After": str(rng.randint(0, 2))}),
    lambda _: Status(403),
    lambda rng: Rst(at=rng.choice([None, 0, 1, 500])),
    lambda rng: Fin(at=rng.choice([None, 0, 1, 500])),
    lambda rng: Stall(at=rng.choice([None, 0, 1, 500])),
    lambda _: NoLength(),
    lambda _: Chunked(),
    lambda _: Chunked() | Fin(at=100),
    lambda _: Drip(size=50_000, seconds=0.05),
)
FOR_PAGES: tuple[Choose, ...] = (
    *COMMON,
    lambda _: SetHeaders({"Content-Type": "application/octet-stream"}),
    lambda _: Status(200, {"Content-Type": JSON}, b'{"files": ['),
    lambda _: Status(200, {"Content-Type": JSON}, b""),
)
FOR_FILES: tuple[Choose, ...] = (
    *COMMON,
    lambda rng: FlipByte(rng.choice([0, 50, -1])),
    lambda rng: Rst(at=rng.randrange(100_000)),
    lambda rng: Fin(at=rng.randrange(100_000)),
    lambda rng: Stall(at=rng.randrange(100_000)),
    lambda rng: NoLength() | Fin(at=rng.randrange(100_000)),
    lambda _: Append(b"more"),
    lambda _: Status(404),
)


@dataclass(frozen=True, slots=True)
class Weather:
    """One phase: which share of the answers is wrong, and whether there is a server at all."""

    name: str
    faults: float
    only: tuple[Choose, ...] = ()
    """Not of all kinds, but of these."""
    down: bool = False


CLEAR = Weather("clear", 0.0)
FAIR, SHOWERS = Weather("fair", 0.02), Weather("showers", 0.2)
PHASES = (
    FAIR,
    FAIR,
    SHOWERS,
    SHOWERS,
    SHOWERS,
    Weather("storm", 0.6),
    Weather("silence", 1.0, (lambda _: Stall(),)),
    Weather("overload", 0.9, (lambda _: Status(503), lambda _: Status(429, {"Retry-After": "1"}))),
    Weather("outage", 1.0, down=True),
)


@dataclass(slots=True, eq=False)
class Asked:
    """One request, as upstream had it."""

    method: str
    path: str
    headers: Mapping[str, str]
    begun: float
    fault: Fault
    ended: float | None = None
    """When the answer was over, or its client was seen to have left."""
    whole: bool = False
    """All of the answer was sent."""

    @property
    def good(self) -> bool:
        """Whether all of it was sent, as it should be."""
        return self.whole and type(self.fault) is Fault

    @property
    def missing(self) -> bool:
        """Whether it was answered by 404, though it is there."""
        return isinstance(self.fault, Status) and self.fault.status == 404

    @property
    def transfer(self) -> bool:
        """Whether all of a file was wanted, or all that was left of it."""
        return self.method == "GET" and ("range" not in self.headers or "if-range" in self.headers)


class WeatheredIndex(ScriptedIndex):
    """A `ScriptedIndex` whose faults come from `weather`."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.weather = CLEAR
        self.asked: list[Asked] = []
        self._rng = rng

    def answer(self, seen: Seen) -> Actions:
        with self._changed:
            fault = self._choose(seen.path)
            asked = Asked(
                method=seen.method,
                path=seen.path,
                headers=seen.headers,
                begun=time.monotonic(),
                fault=fault,
            )
            self.asked.append(asked)
            return _recorded(asked, actions_of(self._reply(seen), fault))

    def _choose(self, path: str) -> Fault:
        if self._rng.random() >= self.weather.faults:
            return Fault()
        kinds = self.weather.only or (FOR_PAGES if path.startswith("/simple/") else FOR_FILES)
        return self._rng.choice(kinds)(self._rng)


def _recorded(asked: Asked, actions: Actions) -> Actions:
    try:
        for action in actions:
            yield action
            if isinstance(action, Reply) and action.framing is Framing.LENGTH and not action.body:
                # A 304: whatever comes now, its client has all of it.
                asked.ended = time.monotonic()
        asked.whole = True
    finally:
        asked.ended = asked.ended or time.monotonic()
