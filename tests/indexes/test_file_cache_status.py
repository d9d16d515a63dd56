"""What each body says of where its bytes come from."""

from pypid.domain.cache_status import HIT, CacheStatus, Forwarded
from pypid.indexes.index import FileBody
from tests.indexes.test_downloads import DownloadTestCase
from tests.indexes.test_excerpts import ExcerptTestCase
from tests.kit.pages import PageStyle
from tests.kit.upstream import Status
from tests.upstream.network import start

STARTED = CacheStatus(forwarded=Forwarded.URI_MISS, stored=True)
JOINED = CacheStatus(forwarded=Forwarded.URI_MISS, stored=True, collapsed=True)


def read(body: FileBody) -> FileBody:
    start(body.read(0))
    return body


class CacheStatusTests(DownloadTestCase):
    def test_who_starts_a_transfer_and_who_joins_it(self) -> None:
        held = self.index.hold_body(self.path)
        bodies = [read(self.open()) for _ in range(3)]
        self.assertEqual([body.cache_status for body in bodies], [STARTED, JOINED, JOINED])
        held.send(self.content)
        held.finish()
        self.flush()
        for body in bodies:
            body.close()

    def test_stored_file_is_a_hit_also_for_who_opened_it_before(self) -> None:
        early = self.open()
        self.successResultOf(self.download())
        for body in (self.open(), read(early)):
            self.assertEqual(body.cache_status, HIT)
            body.close()

    def test_nobody_was_asked_by_who_reads_nothing(self) -> None:
        body = self.open()
        self.successResultOf(start(body.announced_size()))
        self.assertEqual(body.cache_status, HIT)
        body.close()


class UnknownSizeTests(DownloadTestCase):
    style = PageStyle(json=False)

    def test_upstream_is_asked_for_a_size_that_the_page_does_not_say(self) -> None:
        body = self.open()
        self.successResultOf(start(body.announced_size()))
        self.assertEqual(body.cache_status, CacheStatus(forwarded=Forwarded.URI_MISS))
        body.close()


class ExcerptTests(ExcerptTestCase):
    def test_part_that_is_asked_for_alone(self) -> None:
        body = self.narrowed(self.tail)
        self.successResultOf(start(body.read(self.tail.start)))
        self.assertEqual(body.cache_status, CacheStatus(forwarded=Forwarded.PARTIAL))
        body.close()

    def test_part_that_could_not_be_had_alone(self) -> None:
        self.index.script(self.path, Status(200, {}, self.content))
        body = self.narrowed(self.tail)
        self.successResultOf(start(body.read(self.tail.start)))
        self.assertEqual(body.cache_status, STARTED)
        body.close()
