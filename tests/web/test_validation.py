"""What an uploader is told of a file that is not taken: on every channel, and all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, fail

from pypid.domain.errors import InspectionFailed
from pypid.domain.names import IndexName
from pypid.domain.upload_rules import UploadRules
from pypid.domain.validation.findings import Level
from pypid.web.snapshot import Snapshot
from tests.kit.dists import Dist, wheel
from tests.kit.zips import Member, raw_zip
from tests.web.forms import fields_of, multipart
from tests.web.world import ALICE, OWN, Answer, WebTestCase

FILENAME = "demo-1.0-py3-none-any.whl"


class ValidationTests(WebTestCase):
    def send(self, content: bytes, extra: Sequence[tuple[str, str]] = (), **headers: str) -> Answer:
        dist = Dist(filename=FILENAME, project=wheel("demo").project, version="1.0", content=content, metadata=b"")
        content_type, body = multipart([*fields_of(dist), *extra], dist)
        return self.ask("POST", "/", {**ALICE, **headers, "Content-Type": content_type}, body)

    def nothing_kept(self) -> None:
        self.assertEqual((self.kept_blobs(), self.kept_sidecars(), self.staged()), (set(), [], []))

    def test_every_problem_on_every_channel(self) -> None:
        content = raw_zip([Member("../up"), Member("demo-1.0.dist-info/WHEEL")])
        problems = ("'../up' leads out of the archive", "required RECORD file", "required METADATA file")
        plain = self.send(content)
        self.assertEqual(plain.status, 400)
        for problem in problems:
            self.assertIn(problem, plain.reason)
            self.assertIn(problem, plain.text)
        for accept in ("application/problem+json", "application/json", "text/html"):
            answer = self.send(content, Accept=accept)
            self.assertEqual(answer.status, 400)
            for problem in ("required RECORD file", "required METADATA file"):
                self.assertIn(problem, answer.text)
        self.nothing_kept()

    def test_form_that_contradicts_the_file(self) -> None:
        """B58: installers would read one, and whoever asks the API the other."""
        made = wheel("demo", requires=["other>=2"], requires_python=">=3.9")
        answer = self.send(made.content, [("requires_dist", "evil"), ("requires_python", ">=3.8")])
        self.assertEqual(answer.status, 400)
        self.assertIn("only the form has 'evil'", answer.text)
        self.assertIn("Requires-Python is '>=3.8' in the form, '>=3.9' in the file.", answer.text)
        self.nothing_kept()
        fields = [("requires_dist", "other >= 2"), ("requires_dist", ""), ("requires_python", ">=3.9")]
        self.assertEqual(self.send(made.content, fields).status, 200)

    def test_each_index_has_its_own_level(self) -> None:
        made = wheel("demo", "1.0+local")
        self.assertEqual(self.upload(made, "/own/").status, 400)
        self.assertEqual(self.upload(made, "/main/").status, 200)

    def snapshot(self) -> Snapshot:
        snapshot = super().snapshot()
        rules: dict[IndexName, UploadRules] = {**snapshot.hosted, OWN: UploadRules(level=Level.STRICT)}
        return replace(snapshot, hosted=rules)


class BrokenInspectionTests(WebTestCase):
    """B66"""

    def inspect(self, path: Any, question: Any) -> Deferred[Any]:  # noqa: ARG002
        return fail(InspectionFailed(FILENAME, "exit code -11"))

    def test_is_that_uploads_trouble_alone_and_may_pass(self) -> None:
        answer = self.upload(wheel("demo"))
        self.assertEqual(answer.status, 503)
        self.assertIn("could not be looked into; it may be uploaded again", answer.text)
        self.assertNotIn("-11", answer.text)
        self.assertEqual((self.kept_blobs(), self.kept_sidecars(), self.staged()), (set(), [], []))
        self.assertEqual(self.get("/simple/").status, 200)
