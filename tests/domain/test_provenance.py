"""Provenance documents, of which nothing is believed but that they are one."""

from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.provenance import MAX_PROVENANCE, checked
from pypid.domain.simple_page import InvalidPage


class CheckedTests(SynchronousTestCase):
    def test_object_is_left_as_it_is(self) -> None:
        """Down to its spaces: who verifies it may have the digest of the bytes."""
        for body in (b"{}", b' {"version":  1, "attestation_bundles": [{"new": null}]}\n'):
            self.assertEqual(checked(body), body)

    def test_what_is_none(self) -> None:
        deep = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        for body in (b"", b"null", b"[]", b'"{}"', b"{} {}", b'{"a": 1', b'{"a": "\xff"}', b"<html></html>", deep):
            self.assertRaises(InvalidPage, checked, body)

    def test_length(self) -> None:
        longest = b'{"a": "' + b"x" * (MAX_PROVENANCE - 9) + b'"}'
        self.assertEqual(checked(longest), longest)
        self.assertRaises(InvalidPage, checked, longest + b" ")
