"""What a form can ask for beside an upload: clients from before PyPI's second life still do."""

from __future__ import annotations

from pypid.web.errors import MAX_REASON
from tests.web.forms import bare_lines, fields_of, form, multipart, part
from tests.web.test_upload import UploadTestCase
from tests.web.world import ALICE

REGISTERING = ("submit", "submit_pkg_info", "verify")


class ActionTests(UploadTestCase):
    """B42"""

    def test_registering_is_fine_and_does_nothing(self) -> None:
        for action in REGISTERING:
            fields = fields_of(self.demo, **{":action": action})
            for typed in (multipart(fields, None), bare_lines(fields), multipart(fields, self.demo)):
                answer = self.send(typed)
                self.assertEqual(answer.status, 200, (action, answer.text))
                self.assertIn("nothing needs to be registered", answer.text)
                self.nothing_kept()
        self.assertEqual(self.get("/simple/demo/").status, 404)

    def test_description_has_lines_of_any_kind(self) -> None:
        fields = [*fields_of(self.demo, **{":action": "submit"}), ("description", "a\n\nb\r\nc\n--\n")]
        self.assertEqual(self.send(bare_lines(fields)).status, 200)

    def test_documentation_is_not_taken(self) -> None:
        answer = self.send(multipart([(":action", "doc_upload"), ("name", "demo")], self.demo, filename="docs.zip"))
        self.assertEqual((answer.status, answer.headers["Location"]), (410, None))
        self.assertIn("Documentation cannot be uploaded here", answer.reason)
        self.nothing_kept()

    def test_what_is_unknown_is_told_what_is_known(self) -> None:
        for action in ("user", "FILE_UPLOAD", "", "x" * 1000):
            answer = self.upload(self.demo, **{":action": action})
            self.assertEqual(answer.status, 400)
            for known in ("file_upload", *REGISTERING):
                self.assertIn(known, answer.reason)
            self.assertNotIn("doc_upload", answer.reason)
            self.assertLessEqual(len(answer.reason), MAX_REASON)
        self.nothing_kept()

    def test_two_actions_are_none(self) -> None:
        texts = [part('name=":action"', value) for value in (b"submit", b"file_upload")]
        self.assertIn(":action: given 2 times", self.send(form(*texts)).text)

    def test_nobody_does_any_of_it_without_a_password(self) -> None:
        """distutils asks first without one, and then with that which it has for the realm."""
        for action in (*REGISTERING, "doc_upload", "user"):
            content_type, body = bare_lines([(":action", action)])
            answer = self.ask("POST", "/", {"Content-Type": content_type}, body)
            self.assertEqual(answer.status, 401)
            self.assertEqual(answer.headers["WWW-Authenticate"], 'Basic realm="pypi", charset="UTF-8"')

    def test_page_of_another_site_uploads_nothing(self) -> None:
        """Its reader's browser knows the password, and sends it along (E37)."""
        content_type, body = multipart(fields_of(self.demo), self.demo)
        for foreign in ({"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = self.ask("POST", "/", {**ALICE, "Content-Type": content_type, **foreign}, body)
            self.assertEqual((answer.status, "another site" in answer.text), (403, True))
        self.nothing_kept()

    def test_other_protocols(self) -> None:
        for version, status in (("1", 200), ("2", 400), ("x", 400)):
            answer = self.upload(self.demo, protocol_version=version)
            self.assertEqual(answer.status, status)
            self.assertEqual("Unknown protocol version." in answer.text, status == 400)

    def test_wrong_digests(self) -> None:
        """B45"""
        for digest in ("0" * 63, "0" * 65, "g" * 64, "sha256:" + "0" * 57):
            answer = self.upload(self.demo, sha256_digest=digest)
            self.assertEqual(answer.status, 400)
            self.assertIn("hex-encoded, sha256 message digest", answer.reason)
        self.assertEqual(self.upload(self.demo, sha256_digest=self.demo.sha256.upper()).status, 200)


class ChannelTests(UploadTestCase):
    def test_reason_body_and_json_say_the_same(self) -> None:
        content_type, body = multipart(fields_of(self.demo, version="2.0", name=None), self.demo)
        for accept in ("*/*", "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7", "application/problem+json"):
            headers = {**ALICE, "Content-Type": content_type, "Accept": accept}
            answer = self.ask("POST", "/", headers, body)
            self.assertEqual(answer.status, 400)
            for said in (answer.text, answer.reason):
                self.assertIn("name: missing.", said)
                self.assertIn("the form's version is '2.0'", said)
