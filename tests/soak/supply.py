"""What the upstream of a soak has, which grows while it runs."""

from __future__ import annotations

import random
import threading

from tests.kit.dists import Dist, wheel
from tests.kit.scripted import ScriptedIndex

PROJECTS = 30
SIZES = (50_000, 50_000, 200_000, 200_000, 200_000, 2_000_000)
"""Bytes of a new file: below and above what is sent only when all of it has come and is right."""
RARE_SIZE = 12_000_000
"""Of one file in a hundred: parts of it are asked for alone."""
CONSTANT = "constant"
"""A project that everybody can always have: it is fetched before anything goes wrong."""


class Supply:
    """Offers distributions in ``index``; threads may ask for them and add to them."""

    def __init__(self, index: ScriptedIndex, rng: random.Random) -> None:
        self._index = index
        self._rng = rng
        self._lock = threading.Lock()
        self._dists: dict[str, dict[str, Dist]] = {}
        self.constant = self._offer(wheel(CONSTANT, "1.0", size=100_000))
        for _ in range(2 * PROJECTS):
            self.publish()

    def publish(self) -> Dist:
        """Add a new version of some project, or a new project."""
        name = f"soak-{self._rng.randrange(PROJECTS)}"
        size = RARE_SIZE if self._rng.random() < 0.01 else self._rng.choice(SIZES)
        return self._offer(wheel(name, f"1.{len(self._dists.get(name, ()))}", size=size))

    def _offer(self, dist: Dist) -> Dist:
        with self._lock:
            self._dists.setdefault(dist.project, {})[dist.filename] = dist
        return self._index.add(dist)

    def projects(self) -> list[str]:
        with self._lock:
            return sorted(self._dists)

    def dists(self, project: str) -> dict[str, Dist]:
        """Return the project's distributions by filename."""
        with self._lock:
            return dict(self._dists[project])
