"""What a warm-up is asked for: names, lists and lock files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pypid.domain.lock_files import InvalidLock, parse_lock
from pypid.domain.requirements_file import parse_requirement, parse_requirements
from pypid.domain.wanted import Locked, Wanted

LISTS = (".txt", ".in")
LOCKS = (".toml", ".lock")


class BadSources(Exception):
    """Something cannot be read; ``problems`` has a line for each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class Sources:
    """Everything that was named, read."""

    def __init__(self, named: Iterable[str]) -> None:
        """Raises `BadSources`."""
        self.wanted: list[Wanted | Locked] = []
        self.constraints: list[Wanted] = []
        self.skipped: list[str] = []
        """A line for each thing that is not from an index."""
        self._problems: list[str] = []
        self._seen: set[tuple[Path, bool]] = set()
        for each in named:
            self._add(each)
        if self._problems:
            raise BadSources(self._problems)

    def _add(self, named: str) -> None:
        if named.endswith(LOCKS):
            self._add_lock(Path(named))
        elif named.endswith(LISTS):
            self._add_list(Path(named), constraints=False)
        else:
            self._add_name(named)

    def _add_name(self, text: str) -> None:
        try:
            one = parse_requirement(text, "the command line")
        except ValueError as e:
            self._problems.append(str(e))
            return
        if one is None:
            endings = ", ".join([*LISTS, *LOCKS])
            self._problems.append(f"{text!r} is neither a project nor a file that ends in {endings}")
        else:
            self.wanted.append(one)

    def _add_lock(self, path: Path) -> None:
        text = self._read(path)
        if text is not None:
            try:
                lock = parse_lock(text, str(path))
            except InvalidLock as e:
                self._problems.append(str(e))
            else:
                self.wanted += lock.locked
                self.skipped += lock.skipped

    def _add_list(self, path: Path, *, constraints: bool) -> None:
        """Read a requirements file, and what it includes, once."""
        if (path.resolve(), constraints) in self._seen:
            return
        self._seen.add((path.resolve(), constraints))
        text = self._read(path)
        if text is None:
            return
        found = parse_requirements(text, str(path))
        self._problems += found.problems
        if constraints:
            self.constraints += found.wanted
        else:
            self.wanted += found.wanted
            self.skipped += found.skipped
        for include in found.includes:
            if "://" in include.path:
                self._problems.append(f"{path}: {include.path} is not on this machine")
            else:
                self._add_list(path.parent / include.path, constraints=constraints or include.constraints)

    def _read(self, path: Path) -> str | None:
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            self._problems.append(f"{path}: not UTF-8 text")
        except OSError as e:
            self._problems.append(f"{path}: {e.strerror}")
        return None
