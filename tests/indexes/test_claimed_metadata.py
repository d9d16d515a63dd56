"""Core metadata as upstream claims it: handed on while that is true, and withdrawn for good when it is not (A46)."""

from __future__ import annotations

import hashlib

from twisted.internet.defer import CancelledError

from pypid.domain.breaker import PROBE_INTERVAL
from pypid.domain.errors import DigestMismatch, FileNotFound, UpstreamUnavailable
from pypid.indexes.refusals import REFUSED
from tests.indexes.stores import DEMO, RULES
from tests.indexes.test_core_metadata import LIBRARY, MetadataTestCase
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.pages import PageStyle
from tests.kit.upstream import Barrier, Fault, FlipByte, Hold, Rst, Status

WRONG = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: evil\n"


class ClaimedTestCase(MetadataTestCase):
    style = PageStyle()

    def offer(self) -> Dist:
        return self.index.add(wheel("demo", requires=["other"], extra_files=LIBRARY))

    @property
    def beside(self) -> str:
        return f"{self.path}.metadata"

    def refresh(self) -> None:
        """Have the page fetched again, with something new in it."""
        self.index.add(wheel("demo", f"{self.index.serial}"))
        self.clock.advance(RULES.lifetime.ttl + RULES.lifetime.grace + 1)
        self.assertEqual(self.listed().filename, self.demo.filename)

    def claim(self, metadata: bytes | None) -> None:
        """Have upstream's page claim the digest of ``metadata`` from its next refresh on."""
        dist = Dist(
            filename=self.demo.filename, project=DEMO, version="1.0", content=self.demo.content, metadata=metadata
        )
        self.index.add(dist)
        self.refresh()


class RightTests(ClaimedTestCase):
    def test_claim_is_told_and_kept_to(self) -> None:
        self.assertEqual(self.listed().core_metadata, self.demo.metadata_sha256)
        self.assertEqual([self.read(), self.read()], [self.demo.metadata] * 2)
        self.assertEqual((self.index.count(glob=self.beside), self.asked()), (1, []))
        self.assertEqual(self.listed().core_metadata, self.demo.metadata_sha256)

    def test_reader_that_leaves_leaves_nothing_open(self) -> None:
        self.index.script(self.beside, Hold(barrier := Barrier(), at=5))
        opening = self.open()
        opening.cancel()
        self.failureResultOf(opening, CancelledError)
        barrier.release()
        self.flush()

    def test_trouble_withdraws_nothing(self) -> None:
        for faults in ([Status(503)], [Status(429)], [Rst(at=None)], [Rst(at=5), Rst(at=0)]):
            self.index.script(self.beside, *faults)
            self.failureResultOf(self.open(), UpstreamUnavailable)
            self.clock.advance(PROBE_INTERVAL)
            self.assertEqual(self.listed().core_metadata, self.demo.metadata_sha256)
        self.assertEqual((self.read(), self.asked()), (self.demo.metadata, []))

    def test_sdist_of_whose_metadata_upstream_sends_another(self) -> None:
        """There is no wheel to look into."""
        source = sdist("demo")
        claimed = Dist(
            filename=source.filename, project=DEMO, version="1.0", content=source.content, metadata=self.demo.metadata
        )
        self.demo = self.index.add(claimed)
        self.index.script(self.beside, FlipByte(0), times=2)
        self.failureResultOf(self.open(), DigestMismatch)
        self.clock.advance(REFUSED)
        self.assertEqual(self.read(), self.demo.metadata)


class WrongTests(ClaimedTestCase):
    def test_what_is_in_the_wheel_is_told_instead(self) -> None:
        """At once, after the next refresh and after a restart; upstream's own is asked for no more than that."""
        true = hashlib.sha256(self.demo.metadata or b"").hexdigest()
        asked = 0
        wrong, flipped = Status(200, {}, WRONG), FlipByte(0)
        series: list[list[Fault]] = [[wrong, wrong], [Status(404)], [Status(403)], [flipped, flipped]]
        for number, faults in enumerate(series):
            with self.subTest(faults=faults):
                self.claim(WRONG + b"%d" % number)
                self.index.script(self.beside, *faults)
                asked += len(faults)
                before = self.revision()
                self.assertEqual(self.read(), self.demo.metadata)
                self.assertNotEqual(self.revision(), before)
                for again in (self.revision, self.refresh, self.restart):
                    again()
                    self.assertEqual(self.listed().core_metadata, true)
                    self.assertEqual(self.read(), self.demo.metadata)
                self.assertEqual(self.index.count(glob=self.beside), asked)

    def test_other_claim_is_believed(self) -> None:
        self.claim(WRONG)
        self.index.script(self.beside, FlipByte(0), times=2)
        self.read()
        self.claim(self.demo.metadata)
        self.assertEqual((self.listed().core_metadata, self.read()), (self.demo.metadata_sha256, self.demo.metadata))
        self.claim(None)
        self.assertEqual((self.listed().core_metadata, self.read()), (self.demo.metadata_sha256, self.demo.metadata))

    def test_who_asks_with_the_page_of_before(self) -> None:
        """A client's page may be ten minutes old."""
        self.claim(WRONG)
        self.index.script(self.beside, FlipByte(0), times=2)
        self.assertEqual([self.read(), self.read(), self.read()], [self.demo.metadata] * 3)
        self.assertEqual(self.index.count(glob=self.beside), 2)

    def test_wheel_that_cannot_be_had_either_withdraws_nothing(self) -> None:
        self.claim(WRONG)
        claimed = self.listed().core_metadata
        self.index.script(self.beside, FlipByte(0), times=2)
        self.index.script(self.path, Status(503))
        self.failureResultOf(self.open(), UpstreamUnavailable)
        self.assertEqual(self.listed().core_metadata, claimed)

    def test_neither_beside_the_wheel_nor_in_it(self) -> None:
        content = wheel("other").content
        self.demo = self.index.add(
            Dist(filename=self.demo.filename, project=DEMO, version="1.0", content=content, metadata=WRONG)
        )
        self.index.script(self.beside, FlipByte(0), times=2)
        self.failureResultOf(self.open(), FileNotFound)
        for again in (self.revision, self.refresh, self.restart):
            again()
            self.assertIsNone(self.listed().core_metadata)
            self.failureResultOf(self.open(), FileNotFound)
        self.assertEqual(self.index.count(glob=self.beside), 2)

    def test_page_that_was_read_before_something_was_found_leads_to_it(self) -> None:
        """It is corrected when it is next asked for that METADATA."""
        self.claim(WRONG)
        self.index.script(self.beside, FlipByte(0), times=2)
        finder, self.main = self.main, self.mirror()
        claimed = self.listed().core_metadata
        self.main, other = finder, self.main
        self.read()
        self.main = other
        self.assertEqual(self.listed().core_metadata, claimed)
        self.assertEqual(self.read(), self.demo.metadata)
        self.assertNotEqual(self.listed().core_metadata, claimed)
        self.assertEqual(self.index.count(glob=self.beside), 2)
