"""Calls that make no sense, and what they are told."""

from __future__ import annotations

import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from pypid.web.api.calls import MAX_BODY, MAX_REASON
from tests.web.api.world import DEMO, JSON, ApiTestCase
from tests.web.forms import chunked
from tests.web.world import ALICE

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["archived", "deprecated"]),
    lambda values: (
        st.lists(values, max_size=3) | st.dictionaries(st.sampled_from(["reason", "status", "x"]), values, max_size=3)
    ),
    max_leaves=5,
)


class MalformedTests(ApiTestCase):
    def test_every_problem_is_told_at_once(self) -> None:
        why = self.refused(400, "PUT", f"{DEMO}/status", content=b'{"status": "gone", "reason": 5, "why": "", "x": {}}')
        self.assertEqual(len(why.splitlines()), 4)
        for said in (
            "status: ",
            "reason: Expected `str`",
            "'why': no such field (there are status, reason)",
            "'x': no",
        ):
            self.assertIn(said, why)
        self.assertIn("status: missing", self.refused(400, "PUT", f"{DEMO}/status", content=b"{}"))
        self.assertIn("status: missing", self.refused(400, "PUT", f"{DEMO}/status"))

    def test_bodies_that_are_no_object(self) -> None:
        for content in (b"[]", b"null", b'"x"', b"{", b"x", b"\xff", b"[" * 10_000, b"{}{}"):
            self.refused(400, "PUT", f"{DEMO}/yank", content=content)
        self.assertEqual(set(self.yanked().values()), {None})

    def test_text_that_is_no_unicode(self) -> None:
        for text in (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\\ud800"):
            why = self.refused(400, "PUT", f"{DEMO}/yank", content=b'{"reason": "%s"}' % text)
            self.assertIn("The body is not JSON", why)
        self.assertEqual(set(self.yanked().values()), {None})

    def test_many_unknown_fields_are_not_all_told(self) -> None:
        content = b"{" + b",".join(b'"%d":0' % number for number in range(5000)) + b"}"
        self.assertLess(len(self.refused(400, "PUT", f"{DEMO}/yank", content=content)), 5000)

    def test_reason_has_a_length(self) -> None:
        self.told("PUT", f"{DEMO}/yank", {"reason": "é" * MAX_REASON})
        self.refused(400, "PUT", f"{DEMO}/yank", content=b'{"reason": "%s"}' % (b"x" * (MAX_REASON + 1)))

    def test_reason_has_no_control_characters(self) -> None:
        """It goes to the terminals of those who install."""
        for character in ("\0", "\n", "\x1b", "\x9b", "\x7f"):
            content = json.dumps({"reason": f"a{character}"}).encode()
            self.assertIn("reason: ", self.refused(400, "PUT", f"{DEMO}/yank", content=content))
            self.refused(400, "DELETE", f"{DEMO}?reason={quote(character)}")
        self.assertEqual(set(self.yanked().values()), {None})

    @given(st.binary(max_size=50) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
    def test_any_body_is_understood_or_refused(self, content: bytes) -> None:
        """And nothing of it is a fault of ours."""
        for path in (f"{DEMO}/yank", f"{DEMO}/status", "indexes/root/pypi/projects/demo/block"):
            answer = self.call("PUT", path, content=content or b" ")
            self.assertIn(answer.status, (200, 400), content)

    def test_body_has_a_length(self) -> None:
        """Which is known before a byte of it is read, or when it comes."""
        longest = b"{%s}" % (b" " * (MAX_BODY - 2))
        self.assertEqual(self.call("PUT", f"{DEMO}/yank", content=longest).status, 200)
        self.refused(413, "PUT", f"{DEMO}/yank", content=longest + b" ")
        pieces = chunked(*[b" " * 1000] * 100)
        self.refused(413, "PUT", f"{DEMO}/yank", headers={"Transfer-Encoding": "chunked"}, content=pieces)
        peer = self.connect()
        head = {**ALICE, **JSON, "Content-Length": str(2**40), "Expect": "100-continue"}
        peer.ask("PUT", f"/-/api/v1/{DEMO}/yank", head)
        self.assertEqual(peer.answer().status, 413)

    def test_other_media_types(self) -> None:
        for media_type in ("text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data; boundary=x"):
            headers = {"Content-Type": media_type}
            self.assertIn("application/json", self.refused(415, "PUT", f"{DEMO}/yank", headers=headers, content=b"{}"))
        self.refused(415, "POST", "retention/main")
        charset = {"Content-Type": "Application/JSON; charset=utf-8"}
        self.assertEqual(self.call("PUT", f"{DEMO}/yank", content=b"{}", headers=charset).status, 200)

    def test_fields_in_the_wrong_place_are_not_passed_over(self) -> None:
        self.assertIn("'reason': this belongs into the body", self.refused(400, "PUT", f"{DEMO}/yank?reason=x"))
        self.refused(400, "DELETE", f"{DEMO}/releases/1.0", content=b'{"reason": "x"}')
        self.refused(400, "DELETE", f"{DEMO}/yank?reason=x")
        self.refused(400, "DELETE", f"{DEMO}/status?x")
        self.assertEqual(set(self.yanked().values()), {None})

    def test_queries_that_cannot_be_read(self) -> None:
        for query in ("reason=%ff", "reason=a&reason=b", "x=1", "&".join(f"a{n}=1" for n in range(100))):
            self.refused(400, "DELETE", f"{DEMO}/releases/1.0?{query}")
        self.assertEqual(len(self.files()), 3)
