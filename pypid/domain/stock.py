"""What is known of the files in some directories, from one look at them to the next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from pypid.domain.catalogue import Catalogue
from pypid.domain.filenames import UnknownFilename, parse_filename
from pypid.domain.loose_files import LooseFile
from pypid.domain.names import NormalizedName, shorten
from pypid.domain.sightings import FileState, Sighting, seen

Found = tuple[str, FileState]
"""The absolute path of a file, and what the file system says of it."""


class Stock:
    """
    Holds what was read of files against what is seen of them.

    The paths of a look come in the order of their precedence: of two files
    with one name the first is taken, whatever becomes of it, so that a name
    never turns from one file to the other and back.
    """

    def __init__(self, remembered: Iterable[LooseFile]) -> None:
        """``remembered``: files as they were when they were read, which may have changed."""
        self._files = {file.path: file for file in remembered}
        self._sightings: dict[str, Sighting] = {}
        self._projects: dict[str, NormalizedName | None] = {}
        self.is_waiting = False
        """Whether the last look has found a file that may be half copied."""
        self._changed = True
        self._unread: frozenset[NormalizedName] = frozenset()
        self._said: set[str] = set()
        self._news: list[str] = []

    def compare(self, found: Sequence[Found], now: float) -> list[str]:
        """
        Take what a look has found at ``now``, in seconds since 1970.

        Returns the paths of the files to be read: settled, and not known as they are.
        """
        before, self._sightings = self._sightings, {}
        projects, self._projects = self._projects, {}
        self.is_waiting = False
        unread = []
        for path, state in found:
            self._projects[path] = projects[path] if path in projects else self._project_of(path)
            if self._projects[path] is None:
                continue
            sighting = self._sightings[path] = seen(state, before.get(path), now)
            self._changed |= sighting is not before.get(path)
            known = self._files.get(path)
            if known is not None and known.state == state:
                continue
            if sighting.is_settled(now):
                unread.append(path)
            else:
                self.is_waiting = True
        self._changed |= len(before) != len(self._sightings)
        self._said.intersection_update(self._projects)
        return unread

    def state(self, path: str) -> FileState:
        """Return the state in which the last look has found a file."""
        return self._sightings[path].state

    def drop_gone(self) -> list[str]:
        """Forget the files that the last look has not found any more, and return their paths."""
        gone = [path for path in self._files if path not in self._sightings]
        for path in gone:
            del self._files[path]
        return gone

    def knows_below(self, directory: str) -> bool:
        """Say whether any file was ever read in ``directory``, a path with a slash at its end."""
        return any(path.startswith(directory) for path in self._files)

    def learn(self, file: LooseFile) -> None:
        """Note what was read of a file."""
        before = self._files.get(file.path)
        if before is not None and before.sha256 != file.sha256:
            self._news.append(f"{shorten(file.path, 300)} has other bytes than before: it has another URL from now on")
        if file.problem:
            self._news.append(f"{shorten(file.path, 300)} is not offered: {file.problem}")
        self._files[file.path] = file
        self._changed = True

    def news(self) -> list[str]:
        """Return what people should know of the files, each thing once."""
        news, self._news = self._news, []
        return news

    def catalogue(self, revision: str, unread: Collection[str] = ()) -> Catalogue | None:
        """
        Return what is to be shown, None if nothing has changed since it was asked last.

        ``unread``: the paths of files that should be in it, and are not.
        """
        waiting = frozenset(map(self._project, unread))
        if not self._changed and waiting == self._unread:
            return None
        self._changed, self._unread = False, waiting
        projects: dict[NormalizedName, list[LooseFile]] = {}
        owners: dict[str, str] = {}
        for path, sighting in self._sightings.items():
            files = projects.setdefault(self._project(path), [])
            owner = owners.setdefault(path.rpartition("/")[2], path)
            if owner != path:
                self.say_once(path, f"{shorten(path, 300)} is hidden behind {shorten(owner, 300)}")
                continue
            known = self._files.get(path)
            # Where only rights have changed it stays until it was read again: downloads are compared with the digest.
            if known is not None and not known.problem and known.state.same_content(sighting.state):
                files.append(known)
        return Catalogue(projects, revision=revision, unread=waiting)

    def _project(self, path: str) -> NormalizedName:
        project = self._projects[path]
        assert project is not None  # of all that has a sighting
        return project

    def _project_of(self, path: str) -> NormalizedName | None:
        filename = path.rpartition("/")[2]
        try:
            return parse_filename(filename).project
        except UnknownFilename as e:
            self.say_once(path, f"{shorten(path, 300)} is not offered: {e}")
            return None

    def say_once(self, path: str, text: str) -> None:
        """Have ``text`` among the news, unless the file at ``path`` was there already and is there still."""
        if path not in self._said:
            self._said.add(path)
            self._news.append(text)
