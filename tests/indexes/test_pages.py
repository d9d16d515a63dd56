"""How long a mirrored page is believed, and how often upstream is asked: every test counts the requests."""

from twisted.internet.defer import Deferred

from pypid.domain.errors import UpstreamBroken
from pypid.domain.files import ProjectPage
from pypid.domain.names import NormalizedName
from pypid.indexes.held import page_memory
from tests.indexes.stores import DEMO, RULES, StoresTestCase
from tests.kit.dists import wheel
from tests.kit.upstream import Barrier, Hold, Rst, Status, redirect
from tests.upstream.network import start

PAGE = "/simple/demo/"
FILES_1 = ["demo-1.0-py3-none-any.whl"]
FILES_2 = [*FILES_1, "demo-2.0-py3-none-any.whl"]
JSON_ONLY = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
OLD_ENOUGH = RULES.lifetime.ttl + RULES.lifetime.grace + 1


def names(page: ProjectPage) -> list[str]:
    return [file.filename for file in page.files]


class PagesTestCase(StoresTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(1_800_000_000)
        self.index.add(wheel("demo"))
        self.pages = self.mirror_pages()

    def get(self) -> Deferred[ProjectPage]:
        return start(self.pages.get(DEMO))

    def got(self) -> list[str]:
        return names(self.successResultOf(self.get()))

    def asked(self) -> int:
        return self.index.count(glob=PAGE)


class FreshnessTests(PagesTestCase):
    def test_page_is_fetched_once_while_it_is_fresh(self) -> None:
        self.assertEqual(self.got(), FILES_1)
        self.index.add(wheel("demo", "2.0"))
        self.clock.advance(RULES.lifetime.ttl)
        self.assertEqual(self.got(), FILES_1)
        self.assertEqual(self.asked(), 1)

    def test_a36_redirection_is_followed_and_not_remembered(self) -> None:
        """A page is kept as that of its project, whatever URL it was found at."""
        self.index.script("/simple/other/", redirect(PAGE))
        self.failureResultOf(start(self.pages.get(NormalizedName("other"))), UpstreamBroken)
        self.index.script(PAGE, redirect("/elsewhere/", 308))
        self.index.script("/elsewhere/", Status(200, JSON_ONLY, b'{"meta": {"api-version": "1.0"}, "files": []}'))
        self.assertEqual(self.got(), [])
        self.clock.advance(OLD_ENOUGH)
        self.assertEqual(self.got(), FILES_1)
        paths = [request.path for request in self.index.requests]
        self.assertEqual(paths, ["/simple/other/", PAGE, PAGE, "/elsewhere/", PAGE])

    def test_stale_page_is_answered_at_once_and_refreshed_behind_the_answer(self) -> None:
        self.got()
        self.index.add(wheel("demo", "2.0"))
        self.index.script(PAGE, Hold(barrier := Barrier()))
        self.clock.advance(RULES.lifetime.ttl + 1)
        self.assertEqual([self.got(), self.got()], [FILES_1, FILES_1])
        self.assertEqual(self.asked(), 2, "one refresh for both")
        barrier.release()
        self.flush()
        self.assertEqual(self.got(), FILES_2)
        self.assertEqual(self.asked(), 2)

    def test_expired_page_is_waited_for(self) -> None:
        self.got()
        self.index.add(wheel("demo", "2.0"))
        self.index.script(PAGE, Hold(barrier := Barrier()))
        self.clock.advance(OLD_ENOUGH)
        waiting = [self.get() for _ in range(10)]
        self.assertNoResult(waiting[0])
        barrier.release()
        self.flush()
        self.assertEqual([names(self.successResultOf(page)) for page in waiting], [FILES_2] * 10)
        self.assertEqual(self.asked(), 2)

    def test_another_upstream_is_asked_for_everything(self) -> None:
        """After a reload has changed the upstream, its pages do not count as fresh, nor are its validators sent."""
        memory = page_memory(2**20)
        self.pages = self.mirror_pages(memory=memory)
        self.got()
        self.pages = self.mirror_pages(memory=memory, root="http://other.example")
        self.got()
        self.pages = self.mirror_pages(root="http://third.example")
        self.got()
        self.assertEqual(self.asked(), 3)
        self.assertEqual([seen for seen in self.index.requests if "if-none-match" in seen.headers], [])

    def test_confirmed_page_is_fresh_again(self) -> None:
        first = self.successResultOf(self.get())
        self.clock.advance(OLD_ENOUGH)
        again = self.successResultOf(self.get())
        self.assertEqual((again.revision, again.max_age), (first.revision, RULES.lifetime.ttl))
        self.assertIn("if-none-match", self.index.requests[1].headers)
        self.clock.advance(RULES.lifetime.ttl)
        self.got()
        self.assertEqual(self.asked(), 2)

    def test_client_may_keep_a_page_just_as_long_as_we_do(self) -> None:
        ages = []
        for seconds in (0, 100, 500):
            self.clock.advance(seconds)
            ages.append(self.successResultOf(self.get()).max_age)
        self.assertEqual(ages, [600, 500, 0])

    def test_many_clients_of_an_unknown_page_are_one_request(self) -> None:
        self.index.script(PAGE, Hold(barrier := Barrier()))
        waiting = [self.get() for _ in range(100)]
        waiting[0].cancel()
        self.failureResultOf(waiting.pop(0))
        barrier.release()
        self.flush()
        pages = [self.successResultOf(page) for page in waiting]
        self.assertEqual(({page.revision for page in pages}, self.asked()), ({pages[0].revision}, 1))

    def test_last_client_to_leave_ends_the_request(self) -> None:
        self.index.script(PAGE, Hold(Barrier()))
        waiting = [self.get() for _ in range(3)]
        for page in waiting:
            page.cancel()
            self.failureResultOf(page)
        self.assertEqual(self.connections, 0)
        self.assertEqual(self.got(), FILES_1)

    def test_clock_set_back_asks_nobody(self) -> None:
        self.got()
        self.clock.rightNow -= 1_000_000
        self.assertEqual(self.successResultOf(self.get()).max_age, RULES.lifetime.ttl)
        self.assertEqual(self.asked(), 1)


class RestartTests(PagesTestCase):
    def restart(self) -> None:
        self.pages = self.mirror_pages()

    def test_fresh_page_is_used_without_asking(self) -> None:
        first = self.successResultOf(self.get())
        self.restart()
        self.assertEqual(self.successResultOf(self.get()).revision, first.revision)
        self.assertEqual(self.asked(), 1)
        self.assertEqual(list(self.successResultOf(start(self.pages.known()))), [DEMO])

    def test_old_page_is_confirmed_and_stays_confirmed(self) -> None:
        self.got()
        self.clock.advance(OLD_ENOUGH)
        self.restart()
        self.got()
        self.assertIn("if-none-match", self.index.requests[1].headers)
        self.restart()
        self.got()
        self.assertEqual(self.asked(), 2)

    def test_page_too_big_for_memory_is_read_from_the_disk(self) -> None:
        self.pages = self.mirror_pages(memory=page_memory(100))
        self.assertEqual([self.got(), self.got(), self.asked()], [FILES_1, FILES_1, 1])

    def test_old_page_outlives_an_upstream_that_is_down(self) -> None:
        self.got()
        self.clock.advance(100 * OLD_ENOUGH)
        self.restart()
        self.index.script(PAGE, Rst(), times=None)
        page = self.successResultOf(self.get())
        self.assertEqual((names(page), page.max_age), (FILES_1, 0))
