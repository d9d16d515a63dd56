"""What looking into one file may cost."""

from __future__ import annotations

from pypid.domain.validation.distribution import Verdict

CPU_SECONDS = 30
"""Of one processor. A wheel takes three at the most, an sdist one for each 200 MiB that it unpacks to."""

ADDRESS_SPACE = 1024 * 1024 * 1024
"""Bytes. The largest file that is accepted, with 100,000 members, takes a quarter of it."""

WALL_SECONDS = 120
"""Until the process is killed: four times its computing time, for a machine that is busy."""

_WHY = f"Looking into it takes more than {CPU_SECONDS} s of computing or {ADDRESS_SPACE // 2**20} MiB of memory."

TOO_COSTLY = Verdict(problems=(f"Invalid distribution file. {_WHY}",))
