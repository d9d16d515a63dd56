"""The forms that the target of a request may have."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.target import origin_form
from tests.domain.strategies import patient


class OriginFormTests(SynchronousTestCase):
    def test_forms(self) -> None:
        for target, expected in (
            (b"/", (b"/", None)),
            (b"/a?b", (b"/a?b", None)),
            (b"//a/b", (b"//a/b", None)),
            (b"http://host/a?b", (b"/a?b", b"host")),
            (b"HTTPS://host:1", (b"/", b"host:1")),
            (b"http://host?b=/", (b"/?b=/", b"host")),
            (b"http://[::1]:80/a", (b"/a", b"[::1]:80")),
            (b"http://a/http://b/", (b"/http://b/", b"a")),
        ):
            self.assertEqual(origin_form(target), expected, target)

    def test_neither(self) -> None:
        for target in (b"", b"*", b"a", b"host:80", b"http:/a", b"http://", b"http:///a", b"http://u@h/", b"ftp://h/"):
            self.assertIsNone(origin_form(target), target)

    @patient
    @given(st.binary() | st.binary().map(b"http://".__add__))
    def test_any_target(self, target: bytes) -> None:
        """What is taken for a path begins with a slash: nothing is cut from it when it is looked up."""
        aimed = origin_form(target)
        if aimed is not None:
            self.assertTrue(aimed[0].startswith(b"/"))
            self.assertNotEqual(aimed[1], b"")
