"""What was read in files of directories is known after a restart, whatever their paths and numbers are."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.headline import Headline
from pypid.domain.loose_files import LooseFile
from pypid.domain.sightings import FileState
from pypid.storage.loose_memory import LooseMemory
from tests.domain.strategies import digests, patient
from tests.storage.databases import DatabaseCase

texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
files = st.builds(
    LooseFile,
    # Any bytes but NUL and the slash may be in a name.
    path=st.binary(min_size=1, max_size=4)
    .map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"_"))
    .map(lambda name: f"/srv/{os.fsdecode(name)}/demo-1.0.whl"),
    state=st.builds(FileState, *[st.integers(0, 2**64 - 1)] * 2, *[st.integers(-(2**70), 2**70)] * 2),
    sha256=digests,
    problem=st.text("abc", max_size=3),
    core_metadata=st.none() | digests,
    headline=st.builds(Headline, summary=texts, requires_python=texts),
)


class LooseMemoryTests(DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.memory = LooseMemory(self.opened(schema="cache"))

    @patient
    @given(st.lists(files, unique_by=lambda file: file.path))
    def test_what_was_kept_comes_back_until_it_is_forgotten(self, found: list[LooseFile]) -> None:
        self.result(self.memory.keep(found))
        by_path = {file.path: file for file in found}
        for roots in (["/srv"], ["/"], ["/elsewhere", "/srv/"]):
            kept = self.result(self.memory.below(roots))
            self.assertEqual({file.path: file for file in kept}, by_path)
        self.result(self.memory.forget(by_path))
        self.assertEqual(self.result(self.memory.below(["/"])), [])

    def test_other_directories_whose_names_begin_alike_are_others(self) -> None:
        for path in ("/srv/a/x-1.0.zip", "/srv/ab/x-1.0.zip", "/srv/a", "/srv/a.b/x-1.0.zip"):
            self.result(self.memory.keep([LooseFile(path=path, state=FileState(1, 1, 1, 1), sha256="0" * 64)]))
        self.assertEqual([file.path for file in self.result(self.memory.below(["/srv/a"]))], ["/srv/a/x-1.0.zip"])
