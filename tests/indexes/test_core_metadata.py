"""The METADATA of mirrored wheels whose upstream offers none: read from the wheel, once, and told from then on."""

from __future__ import annotations

import random

from twisted.internet.defer import CancelledError, Deferred

from pypid.domain.errors import DigestMismatch, FileNotFound, StorageFull, UpstreamBroken, UpstreamUnavailable
from pypid.domain.files import DistributionFile
from pypid.domain.metadata import PART
from pypid.indexes.index import FileBody
from pypid.indexes.refusals import REFUSED
from tests.indexes.stores import DEMO, MIRROR, StoresTestCase
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.pages import PageStyle
from tests.kit.upstream import FlipByte, SetHeaders, Stall, Status
from tests.upstream.network import ASKING, start

LIBRARY = {"demo/lib.so": random.Random(0).randbytes(2**20)}
"""Before METADATA in the archive, as build tools write them."""


class MetadataTestCase(StoresTestCase):
    style = PageStyle(json=False)
    demo: Dist

    def setUp(self) -> None:
        super().setUp()
        self.demo = self.offer()
        self.main = self.mirror()

    def offer(self) -> Dist:
        return self.index.add(wheel("demo", requires=["other"], extra_files=LIBRARY), core_metadata=False)

    @property
    def path(self) -> str:
        return self.index.file_path(self.demo)

    def open(self) -> Deferred[FileBody]:
        return start(self.main.open_core_metadata(DEMO, self.demo.filename, self.demo.sha256[:16]))

    def read(self) -> bytes:
        return self.successResultOf(self.read_all(self.successResultOf(self.open())))

    def download(self) -> bytes:
        body = self.successResultOf(start(self.main.open_file(DEMO, self.demo.filename, self.demo.sha256[:16])))
        return self.successResultOf(self.read_all(body))

    def listed(self) -> DistributionFile:
        page = self.successResultOf(start(self.main.project_page(DEMO)))
        return next(file for file in page.files if file.filename == self.demo.filename)

    def revision(self) -> str:
        return self.successResultOf(start(self.main.project_page(DEMO))).revision

    def asked(self) -> list[str]:
        """How the wheel was asked for: ``HEAD``, ``all``, or its part."""
        seen = [request for request in self.index.requests if request.path == self.path]
        return [s.method if s.method == "HEAD" else s.headers.get("range", "all") for s in seen]

    @property
    def tail(self) -> str:
        size = len(self.demo.content)
        return f"bytes={size - PART}-{size - 1}"

    def restart(self) -> None:
        self.main = self.mirror()


class OfferedTests(MetadataTestCase):
    def test_every_wheel_has_core_metadata_whose_digest_is_told_once_it_was_read(self) -> None:
        self.assertEqual(self.listed().core_metadata, "")
        before = self.revision()
        self.assertEqual(self.read(), self.demo.metadata)
        self.assertEqual(self.listed().core_metadata, self.demo.metadata_sha256)
        self.assertNotEqual(self.revision(), before, "what is rendered is kept by the revision")

    def test_sdist_has_none(self) -> None:
        self.demo = self.index.add(sdist("demo"))
        self.assertIsNone(self.listed().core_metadata)
        self.failureResultOf(self.open(), FileNotFound)

    def test_claim_of_no_digest_is_none(self) -> None:
        """What it let through could not be verified."""
        self.index.style = PageStyle()
        body = b'{"meta": {"api-version": "1.0"}, "name": "demo", "files": [{"filename": "%s", "url": "%s", '
        body += b'"hashes": {"sha256": "%s"}, "core-metadata": true}]}'
        body %= self.demo.filename.encode(), self.path.encode(), self.demo.sha256.encode()
        self.index.script("/simple/demo/", Status(200, {"Content-Type": "application/vnd.pypi.simple.v1+json"}, body))
        self.assertEqual(self.listed().core_metadata, "")
        self.assertEqual(self.read(), self.demo.metadata)
        self.assertEqual(self.index.count(glob="*.metadata"), 0)


class PartsTests(MetadataTestCase):
    def test_big_wheel_is_asked_for_its_last_part_only_and_once(self) -> None:
        self.assertEqual([self.read(), self.read()], [self.demo.metadata] * 2)
        self.assertEqual(self.asked(), ["HEAD", self.tail])
        self.assertEqual(self.kept_blobs(), {self.demo.metadata_sha256})

    def test_length_is_not_asked_where_the_page_says_it(self) -> None:
        self.index.style = PageStyle()
        self.read()
        self.assertEqual(self.asked(), [self.tail])

    def test_what_was_found_survives_a_restart_without_upstream(self) -> None:
        self.read()
        self.restart()
        self.index.script("*", Status(503), times=None)
        self.assertEqual(self.listed().core_metadata, self.demo.metadata_sha256)
        self.assertEqual(self.read(), self.demo.metadata)

    def test_other_index_looks_for_itself(self) -> None:
        """Nobody has verified that this is the METADATA of a wheel with that digest."""
        self.read()
        self.main = self.mirror(type(MIRROR)("second"))
        self.assertEqual(self.listed().core_metadata, "")
        self.read()
        self.assertEqual(self.asked(), ["HEAD", self.tail] * 2)

    def test_many_who_ask_at_once_cost_one_reading(self) -> None:
        held = self.index.hold_body(self.path)
        self.index.style = PageStyle()
        asking = [self.open() for _ in range(20)]
        asking[0].cancel()
        self.failureResultOf(asking[0], CancelledError)
        held.send(self.demo.content[-PART:])
        held.finish()
        self.flush()
        for each in asking[1:]:
            self.assertEqual(self.successResultOf(self.read_all(self.successResultOf(each))), self.demo.metadata)
        self.assertEqual(self.asked(), [self.tail])

    def test_when_the_last_who_asked_has_gone_nothing_more_is_fetched(self) -> None:
        self.index.hold_body(self.path)
        self.index.style = PageStyle()
        asking = self.open()
        self.assertEqual(self.connections, 1)
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        self.assertEqual(self.connections, 0)
        self.assertEqual(self.read(), self.demo.metadata)

    def test_small_wheel_is_fetched_and_kept(self) -> None:
        self.demo = self.index.add(wheel("demo", "2.0"), core_metadata=False)
        self.assertEqual(self.read(), self.demo.metadata)
        self.assertEqual(self.download(), self.demo.content)
        self.assertEqual(self.asked(), ["HEAD", "all"])


class WholeTests(MetadataTestCase):
    def test_wheel_that_is_here_is_what_is_read(self) -> None:
        self.download()
        self.assertEqual(self.read(), self.demo.metadata)
        self.assertEqual(self.asked(), ["all"])

    def test_upstream_that_knows_no_ranges(self) -> None:
        """The wheel is fetched, and kept: whoever asked will want it."""
        self.index.script(self.path, SetHeaders({}), Status(200, {}, self.demo.content))
        self.assertEqual(self.read(), self.demo.metadata)
        self.assertEqual(self.asked(), ["HEAD", self.tail, "all"])
        self.assertEqual(self.download(), self.demo.content)
        self.assertEqual(len(self.asked()), 3)

    def test_upstream_that_answers_no_head(self) -> None:
        self.index.script(self.path, Status(403, body=b""))
        self.assertEqual(self.read(), self.demo.metadata)

    def test_damaged_parts(self) -> None:
        """What cannot be read may be the answer's fault: the wheel itself says."""
        assert self.demo.metadata is not None
        somewhere = self.demo.content.index(self.demo.metadata) - len(self.demo.content) + PART
        self.index.script(self.path, SetHeaders({}), FlipByte(somewhere))
        self.assertEqual(self.read(), self.demo.metadata)
        self.assertEqual(self.asked(), ["HEAD", self.tail, "all"])

    def test_what_the_wheel_says_counts_when_it_is_here(self) -> None:
        """Upstream's answers for parts were those of another file: the digest of what they said is corrected."""
        liar = wheel("demo", requires=["evils"], extra_files=LIBRARY)
        self.assertEqual(len(liar.content), len(self.demo.content))
        ranged = {"Content-Range": self.tail.replace("=", " ") + f"/{len(liar.content)}"}
        self.index.script(self.path, SetHeaders({}), Status(206, ranged, liar.content[-PART:]))
        self.assertEqual(self.read(), liar.metadata)
        self.download()
        self.assertEqual(self.read(), self.demo.metadata)
        self.assertEqual(self.listed().core_metadata, self.demo.metadata_sha256)
        asked = self.asked()
        self.assertEqual([self.read(), self.asked()], [self.demo.metadata, asked])


class NoneTests(MetadataTestCase):
    def offer(self) -> Dist:
        """A wheel of the wrong name: there is no METADATA of demo in it."""
        other = wheel("other", extra_files=LIBRARY)
        return self.index.add(
            Dist(filename="demo-1.0-py3-none-any.whl", project=DEMO, version="1.0", content=other.content)
        )

    def test_wheel_without_metadata_is_found_out_once(self) -> None:
        """From its right bytes, and for good: the page does not claim it any more."""
        for _ in range(2):
            self.failureResultOf(self.open(), FileNotFound)
            self.assertIsNone(self.listed().core_metadata)
            self.restart()
        self.assertEqual(self.asked(), ["HEAD", self.tail, "all"])


class TroubleTests(MetadataTestCase):
    def check_nothing_was_found(self) -> None:
        self.assertEqual((self.listed().core_metadata, self.kept_blobs()), ("", set()))
        self.restart()
        self.assertEqual(self.listed().core_metadata, "")
        self.assertEqual(self.read(), self.demo.metadata)

    def test_trouble_withdraws_nothing(self) -> None:
        """Neither when the length, nor a part, nor the whole is asked for."""
        unranged, fine = Status(200, {}, self.demo.content), SetHeaders({})
        for faults, error in (
            ([Status(503)], UpstreamUnavailable),
            ([fine, Status(503)], UpstreamUnavailable),
            ([fine, Status(404)], UpstreamBroken),
            ([fine, unranged, Status(503)], UpstreamUnavailable),
            ([fine, unranged, Status(404)], UpstreamBroken),
            ([fine, unranged, FlipByte(5), FlipByte(5)], DigestMismatch),
        ):
            self.index.script(self.path, *faults)
            self.failureResultOf(self.open(), error)
            self.clock.advance(REFUSED)
            self.assertEqual((self.listed().core_metadata, self.kept_blobs()), ("", set()))
        self.check_nothing_was_found()

    def test_silence(self) -> None:
        self.index.style = PageStyle()
        self.index.script(self.path, Stall(at=1000))
        opening = self.open()
        self.clock.advance(ASKING.idle_timeout)
        self.failureResultOf(opening, UpstreamUnavailable)
        self.check_nothing_was_found()

    def test_full_disk(self) -> None:
        self.disk.full = {"_write"}
        self.failureResultOf(self.open(), StorageFull)
        self.disk.full = set()
        self.check_nothing_was_found()

    def test_full_cache(self) -> None:
        """What cannot be recorded is served, and found again after a restart."""
        self.listed()
        self.cache_writer.full = {"*"}
        self.assertEqual(self.read(), self.demo.metadata)

    def test_lost_blob_is_read_again(self) -> None:
        self.read()
        for blob in (self.data / "blobs").glob("*/*"):
            blob.unlink()
        self.assertEqual(self.read(), self.demo.metadata)
        self.assertEqual(self.asked(), ["HEAD", self.tail] * 2)
