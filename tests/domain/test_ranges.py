"""Range, If-Range and If-None-Match."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.ranges import (
    ByteRange,
    UnsatisfiableRange,
    completes_file,
    etag_matches,
    if_range_matches,
    is_content_range_of,
    is_resumption,
    parse_range,
)
from tests.domain.strategies import patient

ETAG = '"sha256:abc"'


class ParseRangeTests(SynchronousTestCase):
    def test_parts(self) -> None:
        """What installers send: pip's resume, uv's and poetry's look at the end of a wheel."""
        for header, start, stop in (
            ("bytes=0-0", 0, 1),
            ("bytes=10-19", 10, 20),
            ("bytes=10-", 10, 100),
            ("bytes=-16", 84, 100),
            ("bytes=-1000", 0, 100),
            ("bytes=90-1000", 90, 100),
            ("bytes=99-" + "9" * 31, 99, 100),
            ("bytes=-" + "9" * 31, 0, 100),
            ("Bytes = 1 - 2 ", 1, 3),
            ("bytes=, 1-2,", 1, 3),
            ("bytes=" + "0" * 40 + "1-2", 1, 3),
        ):
            self.assertEqual(parse_range(header, 100), ByteRange(start, stop), header)

    def test_whole(self) -> None:
        """What is no single range in bytes is answered as if it had not been asked for."""
        for header in (
            None,
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5",
            "bytes=5-4",
            "bytes=--5",
            "bytes=-5-",
            "bytes=+1-2",
            "bytes=1-2-3",
            "bytes=0x1-0x2",
            "bytes=1.0-2",
            "bytes=\u0661-\u0662",
            "lines=1-2",
            "bytes=0-1,2-3",
            "bytes=" + ",".join(["0-"] * 4000),
            "bytes=" + "9" * 5000 + "-",
            "bytes=-" + "0" * 5000,
        ):
            self.assertIsNone(parse_range(header, 100), header)

    def test_unsatisfiable(self) -> None:
        for header, size in (
            ("bytes=100-", 100),
            ("bytes=0-0", 0),
            ("bytes=-0", 100),
            ("bytes=1" + "0" * 30 + "-", 100),
        ):
            self.assertRaises(UnsatisfiableRange, parse_range, header, size)

    def test_end_of_nothing(self) -> None:
        """The last bytes of an empty file are the whole of it, which only a 200 can say."""
        self.assertIsNone(parse_range("bytes=-5", 0))

    @patient
    @given(st.integers(0, 20), st.none() | st.integers(0, 10**30), st.none() | st.integers(0, 10**30))
    def test_agrees_with_slices(self, size: int, first: int | None, last: int | None) -> None:
        """The bytes sent are those that slicing the file gives."""
        self._check(size, first, last)

    @patient
    @given(st.integers(0, 5), st.none() | st.integers(0, 6), st.none() | st.integers(0, 6))
    def test_agrees_with_slices_at_the_edges(self, size: int, first: int | None, last: int | None) -> None:
        self._check(size, first, last)

    def _check(self, size: int, first: int | None, last: int | None) -> None:
        data = bytes(range(size))
        expected: bytes | None
        if first is None:
            expected = None if last is None else data[-last:] if last else b""
        else:
            expected = data[first:] if last is None else data[first : last + 1] if first <= last else None
        header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
        try:
            part = parse_range(header, size)
        except UnsatisfiableRange:
            self.assertEqual(expected, b"")
            return
        if part is None:
            self.assertIn(expected, {None, data})
            return
        self.assertEqual(data[part.start : part.stop], expected)
        self.assertTrue(0 <= part.start < part.stop <= size)

    @patient
    @given(st.text() | st.text("bytes=-,0123456789 ").map("bytes={}".format), st.integers(0, 100))
    def test_any_header(self, header: str, size: int) -> None:
        """Nothing in a header is a crash, or reads past the end."""
        try:
            part = parse_range(header, size)
        except UnsatisfiableRange:
            return
        if part is not None:
            self.assertTrue(0 <= part.start < part.stop <= size)


class ContentRangeTests(SynchronousTestCase):
    def test_part_that_was_asked_for(self) -> None:
        for header in ("bytes 10-19/100", "Bytes 10-19/20", "bytes 10-19/*"):
            self.assertTrue(is_content_range_of(ByteRange(10, 20), header), header)

    def test_anything_else(self) -> None:
        for header in (
            None,
            "",
            "bytes 10-18/100",
            "bytes 11-19/100",
            "bytes 0-99/100",
            "bytes 10-19",
            "bytes 10-19/",
            "bytes 10-19/19",
            "bytes 10-19/-1",
            "bytes */100",
            "bytes=10-19/100",
            "bytes 10 - 19/100",
            " bytes 10-19/100",
            "items 10-19/100",
            "bytes +10-19/100",
            "bytes \u0661\u0660-19/100",
            "bytes 10-19/100, bytes 10-19/100",
            "bytes 10-19/" + "9" * 5000,
        ):
            self.assertFalse(is_content_range_of(ByteRange(10, 20), header), header)

    @patient
    @given(st.text() | st.text("bytes -/*,0123456789 ").map("bytes {}".format))
    def test_any_header(self, header: str) -> None:
        is_content_range_of(ByteRange(1, 2), header)


class IfRangeTests(SynchronousTestCase):
    def test_same_file(self) -> None:
        """Without a condition, or with today's tag, a download is resumed."""
        self.assertTrue(if_range_matches(None, ETAG))
        self.assertTrue(if_range_matches(f" {ETAG} ", ETAG))

    def test_starts_over(self) -> None:
        """With any other tag, a weak one or a date it starts over."""
        for header in ("", '"sha256:abd"', f"W/{ETAG}", "sha256:abc", "Sat, 21 Nov 2026 10:00:00 GMT", "*"):
            self.assertFalse(if_range_matches(header, ETAG), header)

    def test_weak_never(self) -> None:
        self.assertFalse(if_range_matches('W/"a"', 'W/"a"'))


class ResumptionTests(SynchronousTestCase):
    def test_look(self) -> None:
        """uv, pip and poetry at the end of a wheel."""
        for header in ("bytes=10-19", "bytes=-16384", "bytes=-", "bytes=0-1,5-", "items=5-", "", None):
            self.assertFalse(is_resumption(header, None), header)

    def test_rest_of_a_file(self) -> None:
        """pip says what it has; curl and wget ask for all the rest."""
        self.assertTrue(is_resumption("bytes=10-19", ETAG))
        for header in ("bytes=10-", "bytes=0-"):
            self.assertTrue(is_resumption(header, None), header)

    def test_whose_client_has_the_whole_file_then(self) -> None:
        whole, end, middle = ByteRange(0, 100), ByteRange(10, 100), ByteRange(10, 99)
        for part, header, if_range in (
            (whole, "bytes=0-99", None),
            (end, "bytes=10-", None),
            (end, "bytes=10-99", ETAG),
        ):
            self.assertTrue(completes_file(part, 100, header, if_range), header)
        for part, header, if_range in (
            (end, "bytes=10-99", None),
            (end, "bytes=-90", None),
            (middle, "bytes=10-98", ETAG),
            (ByteRange(0, 99), "bytes=0-98", ETAG),
        ):
            self.assertFalse(completes_file(part, 100, header, if_range), header)


class IfNoneMatchTests(SynchronousTestCase):
    def test_matches(self) -> None:
        for header in (ETAG, f"W/{ETAG}", "*", " * ", f'"x", W/"y" ,{ETAG}', f'"with, comma",{ETAG}'):
            self.assertTrue(etag_matches(header, ETAG), header)
        self.assertTrue(etag_matches('"a"', 'W/"a"'))

    def test_differs(self) -> None:
        """No tag, or only part of one, is not this one: the client gets the page."""
        for header in (None, "", '""', "sha256:abc", '"sha256:ab"', '"*"', '"x", "y"', 'w/"sha256:abd"', '"sha256:abc'):
            self.assertFalse(etag_matches(header, ETAG), header)
