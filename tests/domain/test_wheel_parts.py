"""The METADATA of wheels of which only some parts are known."""

from __future__ import annotations

import io
import random
import zipfile
from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain import metadata as module
from pypid.domain.filenames import parse_filename
from pypid.domain.metadata import MAX_LEARNED, MAX_PARTS, PART, NoMetadata, metadata_or_part
from pypid.domain.partial import PartialFile
from pypid.domain.ranges import ByteRange
from tests.domain.test_metadata import COMPRESSIONS, DEMO, METADATA, PATH, archive, read
from tests.kit.dists import wheel

RANDOM = random.Random(1).randbytes(2**20)


class Reading:
    """A reading of ``content``, part by part, and what it took."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.known = PartialFile(len(content))

    @property
    def parts(self) -> list[ByteRange]:
        return self.known.parts

    def run(self) -> bytes:
        while isinstance(step := metadata_or_part(self.known, DEMO), ByteRange):
            self.known.learn(step.start, self.content[step.start : step.stop])
        return step

    def outcome(self) -> bytes | str:
        try:
            return self.run()
        except NoMetadata as e:
            return str(e)


@st.composite
def wheels(draw: st.DrawFn) -> bytes:
    """Archives with METADATA anywhere, big and small files around it, comments, and bytes before the archive."""
    sizes = draw(st.lists(st.integers(0, 200_000), max_size=6))
    members = [(f"demo_pkg/{number}.bin", RANDOM[number:][:size]) for number, size in enumerate(sizes)]
    members += [
        (f"demo_pkg/{'long_name_' * 12}{number}", b"") for number in range(draw(st.sampled_from([0, 10, 3000])))
    ]
    metadata = METADATA + RANDOM[: draw(st.integers(0, 300_000))]
    members.insert(draw(st.integers(0, len(members))), (PATH, metadata))
    buffer = io.BytesIO(archive(*members, compression=draw(st.sampled_from(COMPRESSIONS))))
    with zipfile.ZipFile(buffer, "a") as written:
        written.comment = RANDOM[: draw(st.sampled_from([0, 1, 100, 65535]))].replace(b"PK", b"--")
    return RANDOM[: draw(st.sampled_from([0, 0, 1, 100_000]))] + buffer.getvalue()


class WheelPartsTests(SynchronousTestCase):
    @given(wheels())
    def test_parts_say_what_the_whole_says(self, content: bytes) -> None:
        """For any layout, and no byte of it is asked for twice."""
        reading = Reading(content)
        with patch.object(module, "PART", 2**15):  # for the same number of parts in smaller wheels
            self.assertEqual(reading.run(), read(content))
        self.assertLessEqual(len(reading.parts), MAX_PARTS)
        self.assertLessEqual(reading.known.learned, len(content))

    @given(st.integers(0, 2**32), st.integers(1, 40))
    @example(0, 1)
    def test_damaged_parts_say_what_the_damaged_whole_says(self, seed: int, changes: int) -> None:
        """An end for everything: a METADATA, or that there is none."""
        source = random.Random(seed)
        content = bytearray(archive(("demo_pkg/data", RANDOM[:100_000]), (PATH, METADATA), ("x", RANDOM[:70_000])))
        for _ in range(changes):
            content[-source.randrange(1, 400)] = source.randrange(256)
        whole = Reading(bytes(content))
        whole.known.learn(0, whole.content)
        self.assertEqual(Reading(bytes(content)).outcome(), whole.outcome())

    def test_an_ordinary_big_wheel_takes_its_last_part_only(self) -> None:
        members = [("demo_pkg/lib.so", RANDOM), (PATH, METADATA), ("demo_pkg-1.0.dist-info/RECORD", RANDOM[:30_000])]
        reading = Reading(archive(*members))
        self.assertEqual(reading.run(), METADATA)
        self.assertEqual(reading.parts, [ByteRange(len(reading.content) - PART, len(reading.content))])

    def test_a_wheel_that_begins_with_metadata_takes_two_parts(self) -> None:
        reading = Reading(archive((PATH, METADATA), ("demo_pkg/lib.so", RANDOM)))
        self.assertEqual(reading.run(), METADATA)
        self.assertEqual((len(reading.parts), reading.known.learned), (2, 2 * PART))

    def test_what_takes_too_much_is_given_up(self) -> None:
        """A directory that would be many megabytes long, and is not there."""
        end = bytearray(archive((PATH, METADATA))[-22:])
        end[12:16] = end[16:20] = (MAX_LEARNED + 1).to_bytes(4, "little")
        reading = Reading(bytes(2 * MAX_LEARNED + 2) + end)
        with self.assertRaises(NoMetadata):
            reading.run()
        self.assertEqual(reading.known.learned, PART)

    def test_what_takes_too_many_parts_is_given_up(self) -> None:
        reading = Reading(archive((PATH, METADATA), ("demo_pkg/lib.so", RANDOM)))
        with patch.object(module, "MAX_PARTS", 1), self.assertRaises(NoMetadata):
            reading.run()
        self.assertEqual(len(reading.parts), 1)

    def test_no_wheel(self) -> None:
        for content in (b"", b"PK", b"<html>404</html>", RANDOM, archive(("demo_pkg/a", b"a"))):
            with self.assertRaises(NoMetadata):
                Reading(content).run()


class OthersWheelTests(SynchronousTestCase):
    """What is refused as an upload is handed on as it is: installers judge it, and take another version."""

    def test_wheel_of_another_version_inside(self) -> None:
        other = wheel("Demo.Pkg", "2.0")
        self.assertEqual(Reading(other.content).run(), other.metadata)

    def test_metadata_of_nothing(self) -> None:
        for content in (b"", b"\xff\xfe\x00"):
            self.assertEqual(Reading(archive((PATH, content))).run(), content)

    def test_which_of_several_is_a_riddle(self) -> None:
        two = [(f"demo_pkg-{version}.dist-info/METADATA", version.encode()) for version in ("2.0", "3.0")]
        with self.assertRaises(NoMetadata):
            Reading(archive(*two)).run()
        self.assertEqual(Reading(archive(*two, (PATH, METADATA))).run(), METADATA)

    def test_other_projects_metadata_is_not_the_wheels(self) -> None:
        with self.assertRaises(NoMetadata):
            Reading(wheel("other").content).run()
        self.assertEqual(parse_filename(wheel("demo-pkg").filename), DEMO)
