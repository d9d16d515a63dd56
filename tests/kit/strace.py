"""
The system calls of a process that runs already: watched, failed, or not survived, by ``strace``.

    with strace(d.pid, ["fsync"], tmp_path / "calls", inject="error=EIO:when=1") as calls:
        ...                              # the first fsync of each thread fails
    assert [call.path for call in calls.made() if call.failed] == [...]

``inject`` is in strace's own words; it counts the calls of each thread, and of each kind, for themselves.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_CALL = re.compile(r"^(?P<thread>\d+) +(?P<name>\w+)\((?:\d+<|\")?(?P<path>[^\">,]*)(?P<rest>.*)$", re.MULTILINE)
_TARGET = re.compile(r", \"(?P<target>[^\"]*)\"")


@dataclass(frozen=True, slots=True)
class Call:
    thread: int
    name: str
    path: str
    """The file that its first argument names, or has open."""
    target: str | None
    """The file that its second argument names."""
    injected: bool


class Calls:
    """What was called, complete when the `strace` block has ended."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def made(self) -> list[Call]:
        text = self._path.read_text(encoding="utf-8", errors="replace")
        return [
            Call(
                int(match["thread"]),
                match["name"],
                match["path"],
                target["target"] if (target := _TARGET.match(match["rest"].removeprefix('"'))) else None,
                "(INJECTED)" in match["rest"],
            )
            for match in _CALL.finditer(text)
        ]

    def most(self, name: str) -> int:
        """Return how often that thread made the call that made it most."""
        return max(Counter(call.thread for call in self.made() if call.name == name).values(), default=0)


def can_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


@contextmanager
def strace(pid: int, names: Sequence[str], path: Path, *, inject: str | None = None) -> Iterator[Calls]:
    """
    Write into ``path`` the calls of the process, its threads and its children, until the block or they have ended.

    With ``inject``, have that happen to them. Wait inside the block for a process that dies of it.
    """
    some = ",".join(names)
    command = ["strace", "-f", "-y", "-o", str(path), "-e", f"trace={some}", "-p", str(pid)]
    if inject is not None:
        command += ["-e", f"inject={some}:{inject}"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()  # it speaks when every thread is attached
            assert "attached" in said, said
            yield Calls(path)
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()  # it waits for a thread that died while it was letting go
