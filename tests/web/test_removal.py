"""`:action=remove_pkg`, as scripts for pypiserver send it."""

from __future__ import annotations

from urllib.parse import urlencode

from pypid.web.removal import MAX_BODY
from tests.kit.dists import sdist, wheel
from tests.web.forms import multipart
from tests.web.test_upload import UploadTestCase
from tests.web.world import ALICE, Answer

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class RemovalTests(UploadTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.old = [self.publish(wheel("my-pkg", "1.0")), self.publish(sdist("my-pkg", "1.0"))]
        self.new = self.publish(wheel("my-pkg", "2.0"))

    def remove(self, name: str = "my-pkg", version: str = "1.0", target: str = "/", **headers: str) -> Answer:
        fields = {":action": "remove_pkg", "name": name, "version": version}
        return self.ask("POST", target, {**ALICE, **FORM, **headers}, urlencode(fields).encode())

    def listed(self) -> bool:
        return self.old[0].filename in self.get("/simple/my-pkg/").text

    def test_release_is_deleted(self) -> None:
        answer = self.remove()
        self.assertEqual(answer.status, 200)
        self.assertEqual(set(answer.text.splitlines()), {f"{dist.filename} is deleted" for dist in self.old})
        self.assertFalse(self.listed())
        self.assertIn(self.new.filename, self.get("/simple/my-pkg/").text)
        self.assertEqual(self.audit.after(3, 9)[0].user, "alice")

    def test_form_in_parts_does_the_same(self) -> None:
        fields = [(":action", "remove_pkg"), ("name", "my-pkg"), ("version", "1.0")]
        self.assertEqual(self.send(multipart(fields, None)).status, 200)
        self.assertFalse(self.listed())
        self.assertEqual(self.staged(), [])

    def test_names_and_versions_have_many_spellings(self) -> None:
        for name, version in (("My.Pkg", "1"), ("MY__PKG", "v1.0.0")):
            self.assertEqual(self.remove(name, version).status, 200, name)
            self.publish(self.old[0])

    def test_what_is_not_there(self) -> None:
        for name, version in (("my-pkg", "3.0"), ("absent", "1.0")):
            answer = self.remove(name, version)
            self.assertEqual(answer.status, 404)
        self.assertEqual(self.remove(target="/own/").status, 404, "of another index")
        self.assertTrue(self.listed())

    def test_every_problem_is_told(self) -> None:
        answer = self.ask("POST", "/", {**ALICE, **FORM}, b":action=remove_pkg&name=..&version=1&version=2")
        self.assertEqual(answer.status, 400)
        self.assertIn("name: not a project name", answer.text)
        self.assertIn("version: given 2 times", answer.text)
        answer = self.send(multipart([(":action", "remove_pkg"), ("name", "my-pkg"), ("version", "x")], None))
        self.assertIn("version: 'x' is no version", answer.text)
        self.assertTrue(self.listed())

    def test_nobody_does_it_without_a_password(self) -> None:
        self.assertEqual(self.remove(Authorization="Basic eDp5").status, 401)
        self.assertTrue(self.listed())

    def test_page_of_another_site_does_not(self) -> None:
        """A form is all that it needs, and the password that the reader's browser knows."""
        self.assertEqual(self.remove(Origin="https://evil.test").status, 403)
        fields = [(":action", "remove_pkg"), ("name", "my-pkg"), ("version", "1.0")]
        content_type, body = multipart(fields, None)
        headers = {**ALICE, "Content-Type": content_type, "Sec-Fetch-Site": "cross-site"}
        self.assertEqual(self.ask("POST", "/", headers, body).status, 403)
        self.assertTrue(self.listed())

    def test_form_in_one_piece_brings_no_file(self) -> None:
        answer = self.ask("POST", "/", {**ALICE, **FORM}, b":action=file_upload&name=demo")
        self.assertEqual(answer.status, 400)
        self.assertIn("files need multipart/form-data", answer.text)
        for body in (b"%ff=1&%", b"&".join(b"a%d=1" % number for number in range(200)), b"\xff"):
            self.assertEqual(self.ask("POST", "/", {**ALICE, **FORM}, body).status, 400)

    def test_form_in_one_piece_is_short(self) -> None:
        self.assertEqual(self.ask("POST", "/", {**ALICE, **FORM}, b"x" * (MAX_BODY + 1)).status, 413)

    def test_nothing_of_a_mirror_is_deleted(self) -> None:
        self.assertEqual(self.remove(target="/root/pypi/").status, 403)

    def test_full_disk_is_said(self) -> None:
        self.hosted_writer.full = {"_write"}
        self.assertEqual(self.remove().status, 507)
        self.hosted_writer.full = set()
        self.assertTrue(self.listed())
