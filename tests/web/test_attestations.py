"""Attestations and signatures of uploads: taken with the file, and found beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cryptography.x509 import RFC822Name
from pypi_simple import ProjectPage as TheirPage
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IAddress, ISSLTransport
from zope.interface import directlyProvides

from pypid.domain.actor import Actor
from pypid.domain.attestations import MAX_ATTESTATIONS, Attestation
from pypid.domain.errors import InspectionFailed
from pypid.domain.provenance import PROVENANCE_TYPE
from pypid.domain.subject import Subject
from pypid.domain.trusted_proxies import TrustedProxies
from pypid.domain.upload_rules import Attesting, UploadRules
from pypid.indexes.publishing import Publisher
from pypid.indexes.vouching import Vouching
from pypid.web.forms import MAX_SIGNATURE
from pypid.web.snapshot import Snapshot
from tests.kit.dists import Dist, wheel
from tests.kit.pages import JSON
from tests.kit.sigstore import SLSA, Sigstore
from tests.upstream.network import start
from tests.web.forms import fields_of, form, multipart, part
from tests.web.world import ALICE, MAIN, OWN, TWO, Answer, Peer, WebTestCase

SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\n\niHUEABYKAB0WIQ==\n=abcd\n-----END PGP SIGNATURE-----\n"
SIGNERS = Sigstore()
HTML = "application/vnd.pypi.simple.v1+html"


class AttestedTestCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = wheel("demo")
        self.file = f"/files/demo/{self.demo.sha256[:16]}/{self.demo.filename}"

    def attested(
        self, *attestations: Any, dist: Dist | None = None, content_first: bool = False, target: str = "/"
    ) -> Answer:
        dist = dist or self.demo
        fields = [*fields_of(dist), ("attestations", json.dumps(attestations))]
        content_type, body = multipart(fields, dist, content_first=content_first)
        return self.ask("POST", target, {**ALICE, "Content-Type": content_type}, body)

    def signed(self, signature: bytes) -> Answer:
        texts = [part(f'name="{name}"', value.encode()) for name, value in fields_of(self.demo)]
        content = part(f'name="content"; filename="{self.demo.filename}"', self.demo.content)
        asc = part(f'name="gpg_signature"; filename="{self.demo.filename}.asc"', signature)
        content_type, body = form(*texts, content, asc)
        return self.ask("POST", "/", {**ALICE, "Content-Type": content_type}, body)

    def check_nothing_is_kept(self) -> None:
        self.assertEqual((self.kept_blobs(), self.kept_sidecars(), self.staged()), (set(), [], []))


class FoundTests(AttestedTestCase):
    """P6"""

    def test_before_or_after_the_file(self) -> None:
        """As twine and as uv send them."""
        for target, content_first in (("/", False), ("/own/", True)):
            attestations = [SIGNERS.attest(self.demo), SIGNERS.attest(self.demo, SLSA)]
            answer = self.attested(*attestations, content_first=content_first, target=target)
            self.assertEqual((answer.status, answer.body), (200, b""))
            found = self.get(f"{target.rstrip('/')}{self.file}.provenance")
            self.assertEqual((found.status, found.headers["Content-Type"]), (200, PROVENANCE_TYPE))
            (bundle,) = json.loads(found.body)["attestation_bundles"]
            self.assertEqual(bundle["attestations"], attestations)
        self.assertEqual(self.index.requests, [])

    def test_client_that_has_it_and_every_url(self) -> None:
        self.attested(SIGNERS.attest(self.demo))
        first = self.get(f"{self.file}.provenance")
        for prefix in ("", "/main", "/packages"):
            again = self.get(f"{prefix}{self.file}.provenance", {"If-None-Match": first.headers["ETag"]})
            self.assertEqual((again.status, again.body), (304, b""))
        head = self.ask("HEAD", f"{self.file}.provenance")
        self.assertEqual((head.status, head.headers["Content-Length"]), (200, str(len(first.body))))

    def test_file_without(self) -> None:
        self.publish(self.demo)
        for suffix in (".provenance", ".asc"):
            self.assertEqual(self.get(f"{self.file}{suffix}").status, 404)
        self.assertEqual(self.index.requests, [])

    def test_same_file_again_keeps_what_it_came_with(self) -> None:
        """As on PyPI: what a published file has beside it does not change."""
        self.publish(self.demo)
        answer = self.attested(SIGNERS.attest(self.demo))
        self.assertEqual((answer.status, answer.text), (200, "this very file was already there\n"))
        self.assertEqual(self.get(f"{self.file}.provenance").status, 404)
        self.assertEqual(self.kept_blobs(), {self.demo.sha256, self.demo.metadata_sha256})

    def test_deleted_file_comes_back_with_others(self) -> None:
        """The same bytes may, and bring what they come with."""
        self.publish(self.demo)
        actor = Actor("alice", "192.0.2.1")
        self.successResultOf(start(self.curator().delete(MAIN, Subject(project=self.demo.project), actor)))
        self.assertEqual(self.get(f"{self.file}.provenance").status, 404)
        self.assertEqual(self.attested(SIGNERS.attest(self.demo)).status, 200)
        self.assertEqual(self.get(f"{self.file}.provenance").status, 200)

    def test_sidecar_names_what_is_kept(self) -> None:
        """hosted.db can be rebuilt, and the sweep spares the blobs."""
        self.attested(SIGNERS.attest(self.demo))
        (path,) = (path for path in self.kept_sidecars() if not path.name.startswith("."))
        record = json.loads(path.read_bytes())
        self.assertIn(record["provenance"], self.kept_blobs())
        self.assertNotIn("attestations", record["form"])


class NamedTests(AttestedTestCase):
    """On the page by an absolute https URL, the only kind that there is by PEP 740 (1.3)."""

    tls = False

    def connect(self, address: IAddress | None = None) -> Peer:
        peer = super().connect(address)
        if self.tls:
            directlyProvides(peer._half, ISSLTransport)
        return peer

    def named(self, path: str, accept: str = JSON, host: str = "pypid.test") -> list[str | None]:
        answer = self.get(path, {"Accept": accept, "Host": host})
        page = (
            TheirPage.from_json_data(json.loads(answer.body))
            if accept == JSON
            else TheirPage.from_html("demo", answer.text, f"https://{host}{path}")
        )
        return [package.provenance_url for package in page.packages]

    def test_over_tls(self) -> None:
        self.attested(SIGNERS.attest(self.demo))
        self.publish(wheel("demo", "2.0"))
        self.tls = True
        for accept in (JSON, HTML):
            for prefix, simple in (("", "simple"), ("/main", "simple"), ("", "+simple"), ("", "simple")):
                for host in ("pypid.test", "other.test:8443"):
                    url = f"https://{host}{prefix}{self.file}.provenance"
                    self.assertEqual(self.named(f"{prefix}/{simple}/demo/", accept, host), [url, None])

    def test_each_host_has_its_own_page(self) -> None:
        """Neither its ETag nor its body is another's."""
        self.attested(SIGNERS.attest(self.demo))
        self.tls = True
        first = self.get("/simple/demo/", {"Host": "one.test"})
        for host, status in (("one.test", 304), ("two.test", 200), ("one.test", 304)):
            answer = self.get("/simple/demo/", {"Host": host, "If-None-Match": first.headers["ETag"]})
            self.assertEqual(answer.status, status)

    def test_without_tls_it_is_not(self) -> None:
        """Nor behind a proxy that ends TLS and is not known here: nor is which URL its clients know."""
        self.attested(SIGNERS.attest(self.demo))
        for accept in (JSON, HTML):
            self.assertEqual(self.named("/simple/demo/", accept), [None])
            self.assertNotIn("provenance", self.get("/simple/demo/", {"Accept": accept}).text)
        self.assertEqual(self.get(f"{self.file}.provenance").status, 200)

    def test_behind_a_proxy_that_is_known_here(self) -> None:
        self.attested(SIGNERS.attest(self.demo))
        self.current.value = replace(self.current.value, trusted_proxies=TrustedProxies(["127.0.0.1"]))
        for scheme, expected in (("https", f"https://index.test/pypi{self.file}.provenance"), ("http", None)):
            said = {"X-Forwarded-Proto": scheme, "X-Forwarded-Host": "index.test", "X-Forwarded-Prefix": "/pypi"}
            page = self.get("/simple/demo/", {"Accept": JSON, **said})
            (file,) = json.loads(page.body)["files"]
            self.assertEqual(file.get("provenance"), expected)

    def test_any_host_that_a_client_says(self) -> None:
        self.attested(SIGNERS.attest(self.demo))
        self.tls = True
        for host in ('"><script>', "[::1", "a b", "\xff"):
            answer = self.get("/simple/demo/", {"Accept": "text/html", "Host": host})
            self.assertEqual(answer.text.count("<script>"), 0)
            self.assertIn(answer.status, {200, 400})


class RefusedTests(AttestedTestCase):
    """B67"""

    def test_what_is_wrong_is_said_as_pypi_says_it(self) -> None:
        tries: list[list[Any]] = [
            [],
            [{}],
            [SIGNERS.attest(wheel("other"))],
            [SIGNERS.attest(self.demo), SIGNERS.attest(self.demo)],
            [{**SIGNERS.attest(self.demo), "more": "x" * MAX_ATTESTATIONS}],
        ]
        for attestations in tries:
            answer = self.attested(*attestations)
            self.assertEqual(answer.status, 400)
            self.assertIn("Invalid attestations supplied during upload: ", answer.reason)
            self.assertEqual(self.upload(self.demo, attestations="{").status, 400)
            self.check_nothing_is_kept()

    def test_file_and_attestations_are_wrong_at_once(self) -> None:
        broken = replace(self.demo, content=self.demo.content + b"behind the archive")
        answer = self.attested({}, dist=broken)
        self.assertIn("Invalid attestations", answer.text)
        self.assertIn("Invalid distribution file", answer.text)
        self.check_nothing_is_kept()

    def test_empty_field_is_none(self) -> None:
        self.assertEqual(self.upload(self.demo, attestations="").status, 200)


class SignatureTests(AttestedTestCase):
    def test_is_beside_the_file_and_on_no_page(self) -> None:
        self.assertEqual(self.signed(SIGNATURE).status, 200)
        for prefix in ("", "/main", "/packages"):
            answer = self.get(f"{prefix}{self.file}.asc")
            self.assertEqual((answer.status, answer.body), (200, SIGNATURE))
        self.assertEqual(answer.headers["Content-Type"], "application/pgp-signature")
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(self.get(f"{self.file}.asc", {"If-None-Match": answer.headers["ETag"]}).status, 304)
        for accept in (JSON, "text/html"):
            page = self.get("/simple/demo/", {"Accept": accept}).text
            self.assertEqual([word for word in (".asc", "gpg") if word in page], [])

    def test_what_is_none(self) -> None:
        for content in (b"\xff" * 1000, b"<html>", SIGNATURE + b"more", SIGNATURE + b"\n" * MAX_SIGNATURE):
            answer = self.signed(content)
            self.assertEqual(answer.status, 400)
            self.assertIn("gpg_signature: ", answer.text)
            self.check_nothing_is_kept()

    def test_mirrored_files_have_none(self) -> None:
        other = self.index.add(wheel("other"))
        answer = self.get(f"/files/other/{other.sha256[:16]}/{other.filename}.asc")
        self.assertEqual(answer.status, 404)
        self.assertEqual([path for path in self.index.paths() if path.endswith(".asc")], [])


class VerifiedTests(AttestedTestCase):
    """Where pypi-attestations is there."""

    def setUp(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.outcome: Deferred[tuple[str, ...]] = succeed(())
        super().setUp()

    def publisher(self) -> Publisher:
        return Publisher(
            staging=self.staging,
            blobs=self.blobs,
            records=self.hosted,
            inspect=self.inspect,
            now=self.clock.seconds,
            vouching=Vouching(self.verify),
        )

    def verify(self, filename: str, attestations: Sequence[Attestation]) -> Deferred[tuple[str, ...]]:
        self.asked.append((filename, len(attestations)))
        return self.outcome

    def snapshot(self) -> Snapshot:
        rules = {
            MAIN: UploadRules(),
            OWN: UploadRules(attesting=Attesting.REQUIRE),
            TWO: UploadRules(signers=("https://github.com/acme/*", "alice@acme.test")),
        }
        return replace(super().snapshot(), hosted=rules)

    def test_what_is_attested_is_verified(self) -> None:
        self.assertEqual(self.attested(SIGNERS.attest(self.demo), SIGNERS.attest(self.demo, SLSA)).status, 200)
        self.assertEqual(self.asked, [(self.demo.filename, 2)])
        self.publish(wheel("demo", "2.0"))
        self.assertEqual(len(self.asked), 1)

    def test_a_signature_that_is_none(self) -> None:
        self.outcome = succeed(("the signature cannot be verified: no",))
        answer = self.attested(SIGNERS.attest(self.demo))
        self.assertEqual(answer.status, 400)
        self.assertIn("supplied during upload: the signature cannot be verified: no.", answer.text)
        self.check_nothing_is_kept()

    def test_when_that_cannot_be_found_out_it_may_be_tried_again(self) -> None:
        self.outcome = fail(InspectionFailed(self.demo.filename, "exit code -9"))
        answer = self.attested(SIGNERS.attest(self.demo))
        self.assertEqual(answer.status, 503)
        self.assertNotIn("-9", answer.text)
        self.check_nothing_is_kept()

    def test_an_index_that_requires_them(self) -> None:
        answer = self.upload(self.demo, "/own/")
        self.assertEqual(answer.status, 400)
        self.assertIn("attestations: missing", answer.text)
        self.assertEqual(self.attested(SIGNERS.attest(self.demo), target="/own/").status, 200)
        self.assertEqual(self.upload(self.demo, "/own/").status, 200, "which is there already")

    def test_an_index_that_says_who_may_sign(self) -> None:
        """Anybody can have a signature that is right."""
        stranger = SIGNERS.attest(self.demo, SLSA, identity=RFC822Name("mallory@acme.test"))
        for attestations in ([stranger], [SIGNERS.attest(self.demo), stranger]):
            answer = self.attested(*attestations, target="/root/dev/")
            self.assertEqual(answer.status, 400)
            self.assertIn("'mallory@acme.test' is none of the signers that this index takes.", answer.text)
            self.check_nothing_is_kept()
        alice = SIGNERS.attest(self.demo, SLSA, identity=RFC822Name("alice@acme.test"))
        self.assertEqual(self.attested(SIGNERS.attest(self.demo), alice, target="/root/dev/").status, 200)
        self.publish(wheel("demo", "2.0"), "/root/dev/")


class UnverifiedTests(AttestedTestCase):
    """Where it is not."""

    def snapshot(self) -> Snapshot:
        rules = {
            MAIN: UploadRules(attesting=Attesting.VERIFY),
            OWN: UploadRules(),
            TWO: UploadRules(signers=("https://github.com/acme/*",)),
        }
        return replace(super().snapshot(), hosted=rules)

    def test_an_index_that_demands_it_takes_none(self) -> None:
        """Should it be uninstalled under a running pypid: a start would be refused."""
        for target in ("/main/", "/root/dev/"):
            answer = self.attested(SIGNERS.attest(self.demo), target=target)
            self.assertEqual(answer.status, 400)
            self.assertIn("cannot be verified here", answer.text)
            self.check_nothing_is_kept()
        self.assertEqual(self.attested(SIGNERS.attest(self.demo), target="/own/").status, 200)
