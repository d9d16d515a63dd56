"""The process that looks into one file: started for it, and bounded before it reads the first byte."""

from __future__ import annotations

import os
import resource
import sys

import msgspec

from pypid.domain.validation.distribution import Question, inspect_distribution
from pypid.inspection.limits import ADDRESS_SPACE, CPU_SECONDS, TOO_COSTLY

LIMITS = {
    # At the first the kernel sends SIGXCPU, which says why; at the second, SIGKILL.
    resource.RLIMIT_CPU: (CPU_SECONDS, CPU_SECONDS + 5),
    resource.RLIMIT_AS: (ADDRESS_SPACE, ADDRESS_SPACE),
    resource.RLIMIT_FSIZE: (0, 0),
    resource.RLIMIT_CORE: (0, 0),
}


def main() -> None:
    """Answer the question on standard input about the file whose open descriptor is the only argument."""
    for what, limits in LIMITS.items():
        resource.setrlimit(what, limits)
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    try:
        with os.fdopen(int(sys.argv[1]), "rb") as archive:
            verdict = inspect_distribution(archive, question)
    except MemoryError:
        verdict = TOO_COSTLY
    sys.stdout.buffer.write(msgspec.json.encode(verdict))


if __name__ == "__main__":
    main()
