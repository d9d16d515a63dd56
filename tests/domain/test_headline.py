"""What is kept of a file's metadata for quick answers."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.headline import MAX_SUMMARY, Headline, one_line, read_headline
from tests.domain.strategies import patient


class HeadlineTests(SynchronousTestCase):
    def test_what_metadata_says(self) -> None:
        metadata = "Metadata-Version: 2.1\nName: demo\nSummary: Ünï  code\nRequires-Python: >=3.9\n\nText".encode()
        self.assertEqual(read_headline(metadata), Headline(summary="Ünï code", requires_python=">=3.9"))

    def test_what_it_does_not_say(self) -> None:
        for metadata in (b"", b"Summary:\nRequires-Python:\n", b"Summary: UNKNOWN\nRequires-Python: who knows\n"):
            self.assertEqual(read_headline(metadata), Headline())

    def test_summary_is_one_line_that_is_not_too_long(self) -> None:
        self.assertEqual(one_line(" a\n\tb\u2028c "), "a b c")
        self.assertEqual(one_line("x" * 1000), "x" * MAX_SUMMARY)
        self.assertEqual((one_line(None), one_line(" \n")), (None, None))

    @patient
    @given(st.binary(max_size=100) | st.text(max_size=50).map(lambda text: f"Summary: {text}".encode(errors="replace")))
    def test_any_metadata(self, metadata: bytes) -> None:
        summary = read_headline(metadata).summary
        self.assertTrue(summary is None or summary.encode().decode() == summary)
