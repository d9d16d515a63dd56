"""A27: upstream counts its changes, and a cache on the way that is behind takes nothing back."""

from pypid.domain.errors import ProjectNotFound, UpstreamBroken
from pypid.indexes.absences import ABSENT_TTL
from pypid.indexes.mirrored import RETRY_AFTER_FAILURE
from pypid.indexes.serials import SERIAL_TRUST
from tests.indexes.test_pages import FILES_1, FILES_2, OLD_ENOUGH, PAGE, PagesTestCase
from tests.kit.dists import wheel
from tests.kit.pages import PageStyle
from tests.kit.upstream import SetHeaders, Status

BEHIND = SetHeaders({"X-PyPI-Last-Serial": "7", "ETag": None})


class SerialTests(PagesTestCase):
    def test_a27_page_with_an_older_serial_is_not_taken(self) -> None:
        self.got()
        self.clock.advance(OLD_ENOUGH)
        self.index.add(wheel("demo", "2.0"))
        self.index.script(PAGE, BEHIND, times=2)
        self.assertEqual((self.got(), self.asked()), (FILES_1, 2))
        self.pages = self.mirror_pages()
        self.assertEqual((self.got(), self.asked()), (FILES_1, 3), "nor after a restart")
        self.clock.advance(RETRY_AFTER_FAILURE)
        self.assertEqual(self.got(), FILES_2)

    def test_a27_older_serial_is_believed_when_it_stays(self) -> None:
        """An upstream that was set up anew begins to count anew."""
        self.got()
        self.clock.advance(SERIAL_TRUST + 1)
        self.index.add(wheel("demo", "2.0"))
        self.index.script(PAGE, BEHIND)
        self.assertEqual(self.got(), FILES_2)

    def test_a27_project_that_was_withdrawn_does_not_come_back_from_a_cache_that_is_behind(self) -> None:
        """200, 404, 200: the last word is the newest one."""
        self.got()
        self.clock.advance(OLD_ENOUGH)
        self.index.script(PAGE, Status(404), BEHIND)
        self.failureResultOf(self.get(), ProjectNotFound)
        self.clock.advance(ABSENT_TTL)
        self.assertEqual(self.failureResultOf(self.get(), UpstreamBroken).value.detail, "serial")
        self.assertEqual((self.got(), self.asked()), (FILES_1, 4))

    def test_serial_that_is_none_says_nothing(self) -> None:
        self.got()
        for serial in ("", "-1", "x", "9" * 100, None):
            self.clock.advance(OLD_ENOUGH)
            self.index.add(wheel("demo", "2.0"))
            self.index.script(PAGE, SetHeaders({"X-PyPI-Last-Serial": serial, "ETag": None}))
            self.got()
        self.assertEqual(self.got(), FILES_2)


class BodyTests(PagesTestCase):
    """A mirror of static files, as bandersnatch makes it, says the serial in the page only."""

    style = PageStyle(serials=True)

    def test_a27_serial_in_the_page_counts_where_no_header_says_it(self) -> None:
        headless = SetHeaders({"X-PyPI-Last-Serial": None, "ETag": None})
        behind = Status(
            200,
            {"Content-Type": "application/vnd.pypi.simple.v1+json"},
            b'{"meta": {"api-version": "1.1", "_last-serial": 7}, "name": "demo", "files": []}',
        )
        self.index.script(PAGE, headless, behind)
        self.got()
        self.clock.advance(OLD_ENOUGH)
        self.assertEqual((self.got(), self.asked()), (FILES_1, 2))
