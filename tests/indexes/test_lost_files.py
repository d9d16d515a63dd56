"""Files that a page lists and upstream has not (A26): its page is asked for anew before anybody is told anything."""

from pypid.domain.errors import FileNotFound, ProjectNotFound, UpstreamBroken, UpstreamUnavailable
from pypid.indexes.refusals import REFUSED
from tests.indexes.test_downloads import DownloadTestCase
from tests.indexes.test_excerpts import ExcerptTestCase
from tests.kit.upstream import Barrier, Hold, Status
from tests.upstream.network import ROOT, start

PAGE = "/simple/demo/"


class LostFileTests(DownloadTestCase):
    def setUp(self) -> None:
        super().setUp()
        body = self.open()
        body.close()
        self.clock.advance(60)  # the page is fresh, and not just fetched

    def lose(self, status: int = 404) -> None:
        self.index.script(self.path, Status(status), times=None)

    def asked(self) -> tuple[int, int]:
        """Return how often the page and the file have been asked for."""
        return self.index.count("GET", PAGE), self.fetched()

    def test_a26_file_that_the_page_has_no_more_is_not_found(self) -> None:
        for status in (404, 410):
            self.lose(status)
            body = self.open()
            self.clock.advance(60)
            self.index.remove(self.demo)
            self.failureResultOf(self.read_all(body), FileNotFound)
            self.index.heal()
            self.index.add(self.demo)
            self.clock.advance(3600)
        self.assertEqual(self.successResultOf(self.download()), self.content)

    def test_a26_project_that_is_gone_is_not_found(self) -> None:
        self.lose()
        body = self.open()
        self.index.remove_project("demo")
        self.failureResultOf(self.read_all(body), ProjectNotFound)

    def test_a26_file_that_the_page_still_has_is_upstreams_fault_and_refused_for_a_while(self) -> None:
        """Never "not found": another index must not be asked for it."""
        self.lose()
        for _ in range(5):
            refused = self.failureResultOf(self.download(), UpstreamBroken).value
            self.assertEqual(refused.detail, "status-404")
        self.assertEqual(self.asked(), (2, 1))
        self.clock.advance(REFUSED)
        self.index.heal()
        self.assertEqual(self.successResultOf(self.download()), self.content)

    def test_a26_crowd_asks_once_for_the_file_and_once_for_the_page(self) -> None:
        barrier = Barrier()
        self.index.script(self.path, Status(404) | Hold(barrier))
        readers = [self.download() for _ in range(10)]
        self.flush()
        self.index.remove(self.demo)
        barrier.release()
        self.flush()
        for reader in readers:
            self.failureResultOf(reader, FileNotFound)
        self.assertEqual(self.asked(), (2, 1))

    def test_a26_page_that_cannot_be_had_says_nothing(self) -> None:
        self.lose()
        self.index.script(PAGE, Status(503), times=None)
        self.failureResultOf(self.download(), UpstreamUnavailable)

    def test_a26_file_that_has_moved_is_had_from_its_new_place_the_next_time(self) -> None:
        self.lose()
        body = self.open()
        self.index.add(self.demo, url=f"{ROOT}/elsewhere.whl")
        self.index.script("/elsewhere.whl", Status(200, {}, self.content))
        self.failureResultOf(self.read_all(body), UpstreamBroken)
        self.assertEqual(self.successResultOf(self.download()), self.content)

    def test_other_refusals_say_nothing_about_the_page(self) -> None:
        self.lose(403)
        self.failureResultOf(self.download(), UpstreamBroken)
        self.assertEqual(self.asked(), (1, 1))


class LostPartTests(ExcerptTestCase):
    def test_a26_part_of_a_file_that_the_page_has_no_more_is_not_found(self) -> None:
        body = self.narrowed(self.tail)
        self.clock.advance(60)
        self.index.remove(self.demo)
        self.index.script(self.path, Status(404))
        self.failureResultOf(start(body.read(self.tail.start)), FileNotFound)
        body.close()
