"""Provenance beside the files (PEP 740)."""

import gzip
import json

from pypid.domain.provenance import MAX_PROVENANCE, PROVENANCE_TYPE
from pypid.indexes.absences import GONE_TTL
from tests.indexes.stores import RULES
from tests.kit.dists import wheel
from tests.kit.pages import JSON
from tests.kit.upstream import Rst, Status, redirect
from tests.web.world import Answer, WebTestCase

PATH = "/integrity/demo/1.0/demo-1.0-py3-none-any.whl/provenance"
URL = f"https://integrity.test{PATH}"
DOCUMENT = b'{"version": 1,  "attestation_bundles": [{"attestations": [], "publisher": {"kind": "GitHub"}}]}\n'
TYPE = {"Content-Type": PROVENANCE_TYPE}
FOUND = Status(200, TYPE, DOCUMENT)
OLD = RULES.lifetime.ttl + RULES.lifetime.grace + 1


class ProvenanceTestCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo"), provenance=URL)
        self.file = f"/files/demo/{self.demo.sha256[:16]}/{self.demo.filename}"

    def provenance(self, prefix: str = "", **headers: str) -> Answer:
        return self.get(f"{prefix}{self.file}.provenance", {name.replace("_", "-"): headers[name] for name in headers})

    def asked(self) -> int:
        return self.index.count("GET", PATH)


class FoundTests(ProvenanceTestCase):
    def test_document_is_upstreams_to_the_byte(self) -> None:
        self.index.script(PATH, FOUND)
        for prefix in ("", "/main", "/root/pypi", "/packages"):
            answer = self.provenance(prefix)
            self.assertEqual((answer.status, answer.body), (200, DOCUMENT))
            self.assertEqual(answer.headers["Content-Type"], PROVENANCE_TYPE)
        self.assertEqual(self.asked(), 1)
        self.assertEqual(next(seen for seen in self.index.requests if seen.path == PATH).scheme, "https")

    def test_page_goes_on_naming_upstreams(self) -> None:
        """PEP 740 wants an absolute https URL, which pypid may not have."""
        (file,) = json.loads(self.get("/simple/demo/", {"Accept": JSON}).body)["files"]
        self.assertEqual(file["provenance"], URL)

    def test_client_that_has_it_gets_304(self) -> None:
        self.index.script(PATH, FOUND)
        etag = self.provenance().headers["ETag"]
        answer = self.provenance(If_None_Match=etag)
        self.assertEqual((answer.status, answer.body, answer.headers["ETag"]), (304, b"", etag))

    def test_head(self) -> None:
        self.index.script(PATH, FOUND)
        head = self.ask("HEAD", f"{self.file}.provenance")
        self.assertEqual((head.status, head.headers["Content-Length"]), (200, str(len(DOCUMENT))))

    def test_compressed_or_elsewhere_or_plain_json(self) -> None:
        coded = Status(200, {**TYPE, "Content-Encoding": "gzip"}, gzip.compress(DOCUMENT))
        plain = Status(200, {"Content-Type": "application/json; charset=utf-8"}, DOCUMENT)
        for version, answers in enumerate(([coded], [plain], [redirect("/moved"), FOUND])):
            path = f"/provenance/{version}"
            self.demo = self.index.add(wheel("demo", f"{version}"), provenance=f"https://integrity.test{path}")
            self.file = f"/files/demo/{self.demo.sha256[:16]}/{self.demo.filename}"
            self.clock.advance(OLD)
            for each, at in zip(answers, (path, "/moved"), strict=False):
                self.index.script(at, each)
            self.assertEqual(self.provenance().body, DOCUMENT, version)


class AgeTests(ProvenanceTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.index.script(PATH, FOUND)
        self.provenance()

    def test_it_is_asked_for_again_in_time(self) -> None:
        """A file may gain attestations."""
        more = DOCUMENT.replace(b"[]", b"[{}]")
        self.index.script(PATH, Status(200, TYPE, more))
        self.clock.advance(RULES.lifetime.ttl - 1)
        self.assertEqual((self.provenance().body, self.asked()), (DOCUMENT, 1))
        self.clock.advance(OLD)
        self.assertEqual((self.provenance().body, self.asked()), (more, 2))

    def test_kept_one_is_served_while_upstream_is_down_and_after_a_restart(self) -> None:
        self.clock.advance(OLD)
        self.index.script("*", Rst(), times=None)
        self.assertEqual((self.provenance().status, self.provenance().body), (200, DOCUMENT))
        self.current.value = self.snapshot()
        self.assertEqual(self.provenance().body, DOCUMENT)
        self.index.heal()


class AbsentTests(ProvenanceTestCase):
    def test_file_without_one(self) -> None:
        other = self.index.add(wheel("other"))
        answer = self.get(f"/files/other/{other.sha256[:16]}/{other.filename}.provenance")
        self.assertEqual(answer.status, 404)
        self.assertIn("no provenance", answer.text)

    def test_hosted_files_have_none_and_upstream_is_not_asked_for_it(self) -> None:
        self.publish(self.demo)
        self.assertEqual(self.provenance().status, 404)
        self.assertEqual(self.index.requests, [])

    def test_files_that_are_not_there(self) -> None:
        for path in (f"/files/demo/{'0' * 16}/{self.demo.filename}", self.file.replace("1.0", "2.0"), "/files/x/y/z"):
            self.assertEqual(self.get(f"{path}.provenance").status, 404)
        self.assertEqual(self.asked(), 0)

    def test_url_that_is_not_https_is_none(self) -> None:
        demo = self.index.add(wheel("plain"), provenance=URL.replace("https:", "http:"))
        self.assertEqual(self.get(f"/files/plain/{demo.sha256[:16]}/{demo.filename}.provenance").status, 404)
        self.assertEqual(self.asked(), 0)

    def test_what_cannot_be_had_is_never_a_404(self) -> None:
        """Whoever demands attestations must not be told that there are none."""
        long = Status(200, TYPE, b'{"a": "' + b"x" * MAX_PROVENANCE + b'"}')
        for status, fault in (
            (502, Status(404)),
            (502, Status(410)),
            (502, Status(403)),
            (502, Status(200, TYPE, b"[]")),
            (502, Status(200, TYPE, b"{")),
            (502, Status(200, {"Content-Type": "text/html"}, DOCUMENT)),
            (502, Status(200, {**TYPE, "Content-Encoding": "br"}, DOCUMENT)),
            (502, Status(200, {**TYPE, "Content-Encoding": "gzip"}, gzip.compress(bytes(MAX_PROVENANCE + 1)))),
            (502, redirect(f"http://integrity.test{PATH}")),
            (502, long),
            (503, Status(503)),
            (503, Rst()),
        ):
            self.index.script(PATH, fault)
            answer = self.provenance()
            self.assertEqual((answer.status, "Retry-After" in answer.headers), (status, True), fault)
            self.clock.advance(GONE_TTL)
