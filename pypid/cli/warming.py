"""Making an index fetch what will be asked of it, by asking first."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from packaging.specifiers import SpecifierSet

from pypid.cli.index_reader import Got, IndexReader, NotReachable
from pypid.cli.jobs import Jobs
from pypid.cli.warm_progress import Progress
from pypid.cli.warm_report import Report
from pypid.domain.dependencies import dependencies
from pypid.domain.files import DistributionFile
from pypid.domain.names import NormalizedName
from pypid.domain.selection import Candidate, NotOffered, candidates, choose, choose_locked, find_locked
from pypid.domain.targets import Target
from pypid.domain.wanted import Locked, Wanted

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What of each project is fetched."""

    targets: tuple[Target | None, ...]
    """None in it: every file of a version, wherever it fits."""
    all_versions: bool = False
    sdists: bool = False
    with_dependencies: bool = False


class _Answers(Generic[K, T]):
    """What was asked for once, told to everybody who wants it, also later if they are to be kept."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self._known: dict[K, T] = {}
        self._waiting: dict[K, list[Callable[[T], None]]] = {}

    def ask(self, key: K, then: Callable[[T], None]) -> bool:
        """Have ``then`` called, now or later; say whether somebody has to `give` it, since nobody asked before."""
        if key in self._known:
            then(self._known[key])
            return False
        first = key not in self._waiting
        self._waiting.setdefault(key, []).append(then)
        return first

    def give(self, key: K, answer: T) -> None:
        if self._keep:
            self._known[key] = answer
        for then in self._waiting.pop(key):
            then(answer)


class Warming:
    """One warm-up."""

    def __init__(self, reader: IndexReader, choice: Choice, report: Report, progress: Progress) -> None:
        self._reader = reader
        self._choice = choice
        self._report = report
        self._progress = progress
        self._jobs = Jobs(report.fail)
        self._limits: dict[tuple[Target | None, NormalizedName], SpecifierSet] = {}
        self._seen: set[Hashable] = set()
        self._pages: _Answers[NormalizedName, tuple[Candidate, ...]] = _Answers(keep=choice.with_dependencies)
        self._metadata: _Answers[str, bytes] = _Answers(keep=choice.with_dependencies)

    def run(self, asked: Iterable[Wanted | Locked], constraints: Iterable[Wanted] = ()) -> None:
        """Fetch all that is ``asked``, in versions that the constraints allow, and fill the report."""
        asked = tuple(asked)
        try:
            for one in (*constraints, *asked):
                self._limit(one)
            for one in asked:
                self._want(one)
            self._jobs.run(self._tick)
        except KeyboardInterrupt:
            self._report.stopped = "interrupted"
        except NotReachable as e:
            self._report.stopped = str(e)
        finally:
            self._report.left = self._jobs.total - self._jobs.done
            self._reader.abort()
            self._jobs.stop()
            self._progress.end()

    def _tick(self) -> None:
        self._progress.tick(self._jobs.done, self._jobs.total, self._reader.received)

    # What is asked for.

    def _limit(self, one: Wanted | Locked) -> None:
        """Let nothing that is wanted later have a version that ``one`` excludes."""
        for target in self._places(one):
            if isinstance(one, Wanted) and (target is not None or one.marker is None):
                self._limits[target, one.project] = one.specifier & self._limit_of(target, one.project)

    def _limit_of(self, target: Target | None, project: NormalizedName) -> SpecifierSet:
        return self._limits.get((target, project), SpecifierSet())

    def _places(self, one: Wanted | Locked) -> Iterator[Target | None]:
        """Return the targets that ``one`` is for."""
        return (target for target in self._choice.targets if target is None or one.holds(target))

    def _want(self, one: Wanted | Locked) -> None:
        if isinstance(one, Locked):
            self._want_locked(one)
        else:
            for target in self._places(one):
                self._want_for(target, one, all_versions=self._choice.all_versions)

    def _want_for(self, target: Target | None, one: Wanted, *, all_versions: bool = False) -> None:
        limited = replace(one, specifier=one.specifier & self._limit_of(target, one.project))
        if self._first((target, str(limited), limited.extras, limited.sha256s)):
            self._with_page(limited, partial(self._choose, limited, target, all_versions=all_versions))

    def _want_locked(self, one: Locked) -> None:
        chosen: set[str] = set()
        without = []
        for target in self._places(one):
            files = choose_locked(one, target, sdists=self._choice.sdists)
            chosen.update(files)
            if not files:
                without.append(target)
        if without:
            self._report.skip(f"{one.asked_by}: {one} has no file{_for(*without)}")
        if chosen:
            self._with_page(one, partial(self._find, one, chosen))

    def _with_page(self, one: Wanted | Locked, then: Callable[[tuple[Candidate, ...]], None]) -> None:
        project = one.project

        def arrived(offered: tuple[Candidate, ...]) -> None:
            self._report.pages += 1
            self._pages.give(project, offered)

        if self._pages.ask(project, then):
            self._jobs.add(f"{project} ({one.asked_by})", lambda: candidates(self._reader.page(project)), arrived)

    # What is chosen of it.

    def _choose(
        self, one: Wanted, target: Target | None, offered: tuple[Candidate, ...], *, all_versions: bool
    ) -> None:
        chosen = choose(one, offered, target, all_versions=all_versions, sdists=self._choice.sdists)
        if not chosen:
            self._report.fail(f"{one} ({one.asked_by})", f"no version that matches has a file{_for(target)}")
        for candidate in chosen:
            self._fetch(candidate.file)
        if self._choice.with_dependencies and target is not None:
            wheels = {candidate.version for candidate in chosen if candidate.tags is not None}
            for candidate in chosen:
                if candidate.tags is not None or candidate.version not in wheels:
                    self._follow(one, candidate.file, target)

    def _find(self, one: Locked, chosen: Iterable[str], offered: tuple[Candidate, ...]) -> None:
        files = {candidate.file.filename: candidate.file for candidate in offered}
        for filename in sorted(chosen):
            try:
                self._fetch(find_locked(one, filename, files))
            except NotOffered as e:
                self._report.fail(filename, str(e))

    def _follow(self, one: Wanted, file: DistributionFile, target: Target) -> None:
        """Want what ``file`` requires."""

        def arrived(metadata: bytes) -> None:
            required = dependencies(metadata, target, extras=one.extras, asked_by=file.filename)
            for dependency in required:
                self._want_for(target, dependency)

        if file.core_metadata is None:
            self._report.fail(file.filename, "what it requires is not known: the index has no core metadata of it")
        else:
            self._with_metadata(file, arrived)

    # What is fetched.

    def _fetch(self, file: DistributionFile) -> None:
        if self._first(file.filename):
            if file.core_metadata is not None:
                self._with_metadata(file, lambda _: None)
            self._jobs.add(file.filename, lambda: self._reader.fetch(file), self._got)

    def _with_metadata(self, file: DistributionFile, then: Callable[[bytes], None]) -> None:
        if self._metadata.ask(file.filename, then):
            what = f"{file.filename}.metadata"
            self._jobs.add(what, lambda: self._reader.metadata(file), partial(self._metadata.give, file.filename))

    def _got(self, got: Got) -> None:
        self._report.files.append(got)
        self._progress.got(got)

    def _first(self, key: Hashable) -> bool:
        """Say whether this is the first time that ``key`` is asked about."""
        if key in self._seen:
            return False
        self._seen.add(key)
        return True


def _for(*targets: Target | None) -> str:
    names = [target.name for target in targets if target is not None]
    return f" for {', '.join(names)}" if names else ""
