"""
A package index that behaves like PyPI until it is told not to, and remembers every request.

    index = ScriptedIndex()
    index.add(wheel("demo"))
    index.script("/simple/demo/", Status(503, {"Retry-After": "7"}))  # one request, then normal again

It is only a description: `tests.kit.upstream` serves it on a socket or in memory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from tests.kit.actions import Actions, Reply
from tests.kit.dists import Dist
from tests.kit.faults import Fault, HeldBody, actions_of
from tests.kit.legacy import render_legacy
from tests.kit.pages import PYPI, Entry, PageStyle, Project, render_file, render_list, render_page


@dataclass(slots=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    """Without the query string, percent-encoding untouched."""
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    """By lower-case name; the values of a repeated one are joined by ``, ``."""
    scheme: str = "http"
    peer_port: int = 0
    """Equal for the requests of one connection."""
    order: int = -1
    """0 for the first request that the index has seen."""
    left: bool = False
    """The client closed the connection while it was being answered."""


@dataclass(slots=True)
class _Rule:
    glob: str
    faults: Iterator[Fault]


class ScriptedIndex:
    """
    Projects, faults and the log of requests.

    ``style`` leaves out of pages what an upstream may leave out, e.g.
    ``ScriptedIndex(PageStyle(json=False, hashes=False))``.
    """

    def __init__(self, style: PageStyle = PYPI) -> None:
        self.style = style
        self.serial = 1000
        self.projects: dict[str, Project] = {}
        self.requests: list[Seen] = []
        self._rules: list[_Rule] = []
        self._changed = threading.Condition()

    # What it holds.

    def add(
        self,
        dist: Dist,
        *,
        upload_time: str | None = "2026-01-02T03:04:05.678901Z",
        yanked: str | None = None,
        core_metadata: bool = True,
        sha256: str | None = None,
        size: int | None = None,
        url: str | None = None,
        filename: str | None = None,
        provenance: str | None = None,
    ) -> Dist:
        """
        Offer ``dist``, in place of a file of the same name.

        ``sha256``, ``size``, ``url`` and ``filename`` make the page say
        something else than the truth.
        """
        entry = Entry(
            dist=dist,
            filename=filename or dist.filename,
            sha256=sha256 or dist.sha256,
            size=len(dist.content) if size is None else size,
            url=url,
            upload_time=upload_time,
            yanked=yanked,
            core_metadata=core_metadata and dist.metadata is not None,
            provenance=provenance,
        )
        with self._edit(dist.project) as project:
            project.entries[entry.filename] = entry
        return dist

    def remove(self, dist: Dist) -> None:
        """Withdraw one file; a project whose last file goes stays, as an empty page."""
        with self._edit(dist.project) as project:
            del project.entries[dist.filename]

    def remove_project(self, name: str) -> None:
        """Make the page, and every file, a 404."""
        with self._changed:
            self.serial += 1
            del self.projects[name]

    def set_status(self, name: str, status: str, reason: str | None = None) -> None:
        """Set the project's status (PEP 792): ``archived``, ``quarantined``, ``deprecated``."""
        with self._edit(name) as project:
            project.status, project.status_reason = status, reason

    def file_path(self, dist: Dist) -> str:
        """Return the path of a file's URL; ``.metadata`` is beside it."""
        return self.projects[dist.project].entries[dist.filename].path

    @contextmanager
    def _edit(self, name: str) -> Iterator[Project]:
        """Change a project: it gets the next serial, as with each change at PyPI."""
        with self._changed:
            self.serial += 1
            project = self.projects.setdefault(name, Project(name))
            project.serial = self.serial
            yield project

    # What it does wrong.

    def script(self, glob: str, *faults: Fault, times: int | None = 1) -> None:
        """
        Answer the next requests whose path matches ``glob`` with ``faults``, one each.

        The series is gone through ``times`` times, None: for ever. Of several
        scripts for a path, the one that was set first is used up first.
        """
        if not faults:
            raise ValueError("a script needs at least one fault")
        with self._changed:
            self._rules.append(_Rule(glob, _series(faults, times)))

    def hold_body(self, glob: str) -> HeldBody:
        """Let the test send the body of the next answer for ``glob`` by hand."""
        held = HeldBody()
        self.script(glob, held)
        return held

    def heal(self) -> None:
        """Forget every script; answers under way go on as they began."""
        with self._changed:
            self._rules.clear()

    def answer(self, seen: Seen) -> Actions:
        """Note ``seen`` and return the actions that answer it. For the transports."""
        with self._changed:
            seen.order = len(self.requests)
            self.requests.append(seen)
            self._changed.notify_all()
            fault = self._take_fault(seen.path)
            return actions_of(self._reply(seen), fault)

    def _take_fault(self, path: str) -> Fault:
        for rule in self._rules:
            if fnmatchcase(path, rule.glob) and (fault := next(rule.faults, None)) is not None:
                return fault
        return Fault()

    def _reply(self, seen: Seen) -> Reply:
        if seen.method not in {"GET", "HEAD"}:
            return Reply(405, {"Allow": "GET, HEAD", "Content-Length": "0"})
        reply = self._find(seen)
        return Reply(reply.status, reply.headers) if seen.method == "HEAD" else reply

    def _find(self, seen: Seen) -> Reply:
        first, _, rest = seen.path.strip("/").partition("/")
        if first == "simple" and seen.path.endswith("/"):
            if not rest:
                return render_list(list(self.projects.values()), self.serial, self.style, seen.headers)
            if rest in self.projects:
                return render_page(self.projects[rest], self.style, seen.scheme, seen.headers)
        if first == "pypi" and self.style.legacy_json:
            name, _, version = rest.removesuffix("json").strip("/").partition("/")
            if name in self.projects and rest.endswith("/json"):
                return render_legacy(self.projects[name], version or None, seen.headers)
        for project in self.projects.values() if first == "packages" else ():
            for entry in project.entries.values():
                if (content := entry.content_at(seen.path)) is not None:
                    return render_file(content, seen.headers)
        return Reply(404, {"Content-Type": "text/plain", "Content-Length": "10"}, b"Not Found\n")

    # What it saw.

    def paths(self) -> list[str]:
        return [seen.path for seen in self.requests]

    def count(self, method: str = "*", glob: str = "*") -> int:
        """Return how many requests there were of ``method`` for a path like ``glob``."""
        return sum(fnmatchcase(seen.method, method) and fnmatchcase(seen.path, glob) for seen in self.requests)

    def wait_requests(self, number: int, glob: str = "*", *, timeout: float = 10) -> None:
        """Block until ``number`` requests for ``glob`` have come; `TimeoutError` after ``timeout`` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.count(glob=glob) >= number, timeout):
                raise TimeoutError(f"{self.count(glob=glob)} of {number} requests for {glob}, but: {self.paths()}")


def _series(faults: tuple[Fault, ...], times: int | None) -> Iterator[Fault]:
    while times is None or times > 0:
        yield from faults
        times = None if times is None else times - 1
