"""What the clients of a soak were told, and what is wrong with it."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import Counter
from urllib.parse import unquote, urljoin, urlsplit

from tests.kit.dists import Dist
from tests.kit.pages import JSON
from tests.kit.rawclient import Answer

_ANCHOR = re.compile(r'href="([^"#]+)#sha256=([0-9a-f]{64})"')


class Ledger:
    """Counts answers and notes problems, for many threads."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.answers: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._pages: dict[str, frozenset[str]] = {}
        self._had: dict[str, float] = {}

    def problem(self, text: str) -> None:
        with self._lock:
            self.problems.append(text)

    def count(self, what: str) -> None:
        with self._lock:
            self.answers[what] += 1

    # What is known to be here: from then on it is always to be had, and upstream is not asked for it again.

    def listed(self, project: str) -> frozenset[str]:
        """Return the files that a page of the project had; none while no page was seen."""
        with self._lock:
            return self._pages.get(project, frozenset())

    def has(self, path: str) -> bool:
        with self._lock:
            return path in self._had

    def had_since(self) -> dict[str, float]:
        """Return what is here, by upstream's path, and since when."""
        with self._lock:
            return dict(self._had)

    def keep(self, path: str) -> None:
        with self._lock:
            self._had.setdefault(path, time.monotonic())

    # Answers.

    def check_trouble(self, what: str, answer: Answer, *, here: bool) -> None:
        """Check an answer that is no success; ``here``: there is no excuse for one."""
        self.count(f"{what} {answer.status}")
        said = f"{what}: {answer.status} {answer.reason}, {answer.headers.get('cache-status')}"
        if here:
            self.problem(f"{said}, though it is here")
        elif answer.status not in {502, 503}:
            self.problem(f"{said}: no answer to trouble at upstream")
        elif "retry-after" not in answer.headers or "cache-status" not in answer.headers:
            self.problem(f"{said}, and not when to come back, or why")

    def check_page(
        self, project: str, url: str, answer: Answer, offered: dict[str, Dist], before: frozenset[str]
    ) -> dict[str, str]:
        """Check a page and return the URLs of its files by filename; ``before``: the files that it had already."""
        if answer.status != 200:
            self.check_trouble(f"page of {project}", answer, here=bool(before))
            return {}
        files = _files_of(answer, url)
        self.count("page 200")
        if not answer.complete or files is None:
            self.problem(f"page of {project} is broken")
            return {}
        if "cache-status" not in answer.headers:
            self.problem(f"page of {project} without Cache-Status")
        wrong = [name for name, (_, sha256) in files.items() if name not in offered or offered[name].sha256 != sha256]
        if wrong:
            self.problem(f"page of {project} has what upstream has not: {wrong}")
        if lost := before - files.keys():
            self.problem(f"page of {project} has lost {sorted(lost)}: {answer.headers.get('cache-status')}")
        with self._lock:
            self._pages[project] = self._pages.get(project, frozenset()) | files.keys()
        return {name: file_url for name, (file_url, _) in files.items() if name in offered}

    def check_whole(self, dist: Dist, path: str, answer: Answer, *, here: bool) -> bool:
        """Check a file that was asked for whole; return whether it came."""
        if answer.status != 200:
            self.check_trouble(f"file {dist.filename}", answer, here=here)
        elif not answer.complete:
            self.count("file 200, broken off")
            if here:
                self.problem(f"file {dist.filename} broke off, though it is here")
        elif hashlib.sha256(answer.body).hexdigest() != dist.sha256:
            self.problem(f"file {dist.filename} is wrong: {answer.headers.get('cache-status')}")
        else:
            self.count("file 200")
            self.keep(path)
            return True
        return False

    def check_part(self, dist: Dist, start: int, stop: int, answer: Answer, *, here: bool) -> None:
        if answer.status != 206:
            self.check_trouble(f"part of {dist.filename}", answer, here=here)
            return
        right = answer.complete and answer.body == dist.content[start:stop]
        self.count("part 206" if right else "part 206, not right")
        if not right and here:
            self.problem(f"part {start}-{stop} of {dist.filename} is not right, though it is here")
        elif not right and answer.complete and answer.headers.get("cache-control") != "no-store":
            self.problem(f"part {start}-{stop} of {dist.filename} is wrong, and may be kept")

    def check_metadata(self, dist: Dist, path: str, answer: Answer, *, here: bool) -> None:
        if answer.status != 200:
            self.check_trouble(f"metadata of {dist.filename}", answer, here=here)
        elif not answer.complete or answer.body != dist.metadata:
            self.problem(f"metadata of {dist.filename} is wrong")
        else:
            self.count("metadata 200")
            self.keep(path)


def _files_of(answer: Answer, url: str) -> dict[str, tuple[str, str]] | None:
    """Return URL and sha256 of the files on a page; None if it cannot be read."""
    if answer.headers.get("content-type", "").startswith(JSON):
        try:
            files = json.loads(answer.body)["files"]
        except ValueError:
            return None
        return {file["filename"]: (urljoin(url, file["url"]), file["hashes"]["sha256"]) for file in files}
    found = [(urljoin(url, href), sha256) for href, sha256 in _ANCHOR.findall(answer.body.decode())]
    return {unquote(urlsplit(href).path.rpartition("/")[2]): (href, sha256) for href, sha256 in found}
