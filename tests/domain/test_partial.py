"""Files of which only some parts are known."""

from __future__ import annotations

import io
import os

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.partial import MissingPart, PartialFile
from pypid.domain.ranges import ByteRange

CONTENT = bytes(range(200))
_seeks = st.tuples(st.integers(-300, 300), st.sampled_from([os.SEEK_SET, os.SEEK_CUR, os.SEEK_END]))
_steps = st.lists(_seeks | st.integers(-1, 300), max_size=20)


class PartialFileTests(SynchronousTestCase):
    @given(_steps)
    def test_reads_like_an_open_file_once_the_missing_parts_are_learned(
        self, steps: list[tuple[int, int] | int]
    ) -> None:
        """Whatever is read in whatever order: a part that is missing is named, and never named twice."""
        partial, whole = PartialFile(len(CONTENT)), io.BytesIO(CONTENT)
        for step in steps:
            if isinstance(step, int):
                self.assertEqual(self.read(partial, step), whole.read(step))
                continue
            try:
                partial.seek(*step)
            except OSError:
                continue  # BytesIO goes to the beginning then; an open file says EINVAL, as this one does
            whole.seek(*step)
            self.assertEqual(partial.tell(), whole.tell())

    def read(self, partial: PartialFile, size: int) -> bytes:
        start = partial.tell()
        for _ in range(len(CONTENT)):
            partial.seek(start)
            try:
                return partial.read(size)
            except MissingPart as e:
                part = partial.unknown_around(e.part, 10)
            for known in partial.parts:
                self.assertTrue(known.stop <= part.start or part.stop <= known.start, (known, part))
            partial.learn(part.start, CONTENT[part.start : part.stop])
        raise AssertionError("there is always something missing")

    def test_asks_for_more_than_is_missing_but_for_nothing_twice(self) -> None:
        partial = PartialFile(100)
        for missing, wider in (((97, 100), (90, 100)), ((0, 3), (0, 10)), ((50, 51), (50, 60)), ((20, 40), (20, 40))):
            part = partial.unknown_around(ByteRange(*missing), 10)
            self.assertEqual(part, ByteRange(*wider))
            partial.learn(part.start, bytes(part.stop - part.start))
        self.assertEqual(partial.unknown_around(ByteRange(45, 50), 10), ByteRange(40, 50))
        self.assertEqual(partial.unknown_around(ByteRange(12, 14), 30), ByteRange(10, 20))
        self.assertEqual(partial.learned, 50)
