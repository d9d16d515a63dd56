"""
What Linux says about a process of ours.

    assert open_descriptors(daemon.pid) < 50
    assert resident(daemon.pid) < 100 * 2**20
    assert listens(daemon.pid, daemon.port)
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_LISTEN = "0A"


def open_descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def stopped(pid: int) -> bool:
    """Whether each of its threads is stopped, by a SIGSTOP."""
    return all(_state(task) == "T" for task in Path(f"/proc/{pid}/task").iterdir())


def _state(task: Path) -> str:
    try:
        return (task / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "gone"


def resident(pid: int) -> int:
    """Bytes of memory in use."""
    return _status(pid, "VmRSS")


def peak_resident(pid: int) -> int:
    """The most bytes of memory that were in use since the process began."""
    return _status(pid, "VmHWM")


def bytes_read(pid: int) -> int:
    """Return how many bytes it has read since it began: of files, pipes and sockets, from the cache or not."""
    lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    return int(next(line.partition(":")[2] for line in lines if line.startswith("rchar")))


def children_seconds(pid: int) -> float:
    """Return the time of a processor that children took which have ended since."""
    # Behind the name, which may hold anything; cutime and cstime are the 16th and 17th field of the line.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def listens(pid: int, port: int) -> bool:
    """Whether the process has the listening IPv4 socket of ``port``; False, too, if it has ended."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    listening = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[3] == _LISTEN}
    with contextlib.suppress(FileNotFoundError):  # a descriptor that was closed meanwhile, or the process
        return any(str(fd.readlink()) in listening for fd in Path(f"/proc/{pid}/fd").iterdir())
    return False


def _status(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith(f"{field}:")]
    return int(value) * 1024
