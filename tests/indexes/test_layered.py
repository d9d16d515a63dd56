"""Our names and other people's: who is asked, in which order, and who never is."""

from twisted.internet.defer import Deferred

from pypid.domain.errors import FileNotFound, ProjectNotFound, UpstreamUnavailable
from pypid.domain.files import ProjectPage
from pypid.domain.names import IndexName, normalize_name
from pypid.indexes.layered import LayeredIndex
from tests.indexes.stores import DEMO, MIRROR, StoresTestCase
from tests.indexes.test_publishing import publish
from tests.kit.dists import wheel
from tests.kit.upstream import Rst, Status
from tests.upstream.network import start

MAIN = IndexName("main")
SECOND = IndexName("second")


class LayeredTests(StoresTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.main = self.hosted_index()
        self.layered = LayeredIndex(MAIN, [self.main, self.mirror(MIRROR), self.mirror(SECOND)])

    def get(self, name: str) -> Deferred[ProjectPage]:
        return start(self.layered.project_page(normalize_name(name)))

    def test_hosted_name_is_never_asked_for_elsewhere_in_whatever_spelling(self) -> None:
        ours = wheel("Acme_Pkg", "1.0")
        self.successResultOf(publish(self.publisher(), ours))
        theirs = self.index.add(wheel("acme-pkg", "99.0"))
        for spelling in ("acme-pkg", "Acme_Pkg", "acme.pkg", "ACME--pkg", "acme-_.pkg"):
            page = self.successResultOf(self.get(spelling))
            self.assertEqual([file.sha256 for file in page.files], [ours.sha256])
        for opening in (self.layered.open_file, self.layered.open_core_metadata):
            opened = start(opening(normalize_name("acme.pkg"), theirs.filename, theirs.sha256[:16]))
            self.failureResultOf(opened, FileNotFound)
        self.assertEqual(self.index.requests, [])

    def test_other_name_is_that_of_the_first_base_which_has_it(self) -> None:
        demo = self.index.add(wheel("demo"))
        page = self.successResultOf(self.get("demo"))
        self.assertEqual([file.filename for file in page.files], [demo.filename])
        self.assertEqual(page.max_age, 0, "it may be uploaded here at any moment")
        self.assertEqual(self.index.count(), 1)
        opened = self.successResultOf(start(self.layered.open_file(DEMO, demo.filename, demo.sha256[:16])))
        self.assertEqual(self.successResultOf(self.read_all(opened)), demo.content)
        beside = start(self.layered.open_core_metadata(DEMO, demo.filename, demo.sha256[:16]))
        self.assertEqual(self.successResultOf(self.read_all(self.successResultOf(beside))), demo.metadata)

    def test_base_that_has_not_the_name_lets_the_next_answer(self) -> None:
        self.index.add(wheel("demo"))
        self.index.script("/simple/demo/", Status(404))
        self.successResultOf(self.get("demo"))
        self.assertEqual(self.index.count(), 2)

    def test_base_that_cannot_say_ends_the_search(self) -> None:
        """Else an outage of the first would let the second slip in its own."""
        self.index.add(wheel("demo"))
        for fault in (Rst(), Status(503), Status(401), Status(200, {"Content-Type": "text/html"}, b"")):
            self.index.script("/simple/demo/", fault)
            before = self.index.count()
            self.failureResultOf(self.get("demo"), UpstreamUnavailable)
            self.assertEqual(self.index.count() - before, 1)

    def test_file_that_the_first_base_has_not_is_not_looked_for_in_the_second(self) -> None:
        self.index.add(wheel("demo"))
        opened = start(self.layered.open_file(DEMO, "demo-9.0-py3-none-any.whl", "0" * 16))
        self.failureResultOf(opened, FileNotFound)
        self.assertEqual(self.index.count(), 1)

    def test_nobody_has_it(self) -> None:
        why = self.failureResultOf(self.get("demo"), ProjectNotFound).value
        self.assertIn("main has no project demo", str(why))
        self.assertEqual(self.index.count(), 2)

    def test_upload_takes_the_name_over_at_once(self) -> None:
        theirs = self.index.add(wheel("demo", "99.0"))
        self.successResultOf(self.get("demo"))
        ours = wheel("demo", "1.0")
        self.successResultOf(publish(self.publisher(), ours))
        page = self.successResultOf(self.get("demo"))
        self.assertEqual([file.sha256 for file in page.files], [ours.sha256])
        opened = start(self.layered.open_file(DEMO, theirs.filename, theirs.sha256[:16]))
        self.failureResultOf(opened, FileNotFound)

    def test_list_is_of_what_is_known_here(self) -> None:
        for name in ("zoo", "demo"):
            self.index.add(wheel(name))
            self.successResultOf(self.get(name))
        self.successResultOf(publish(self.publisher(), wheel("acme")))
        before = self.index.count()
        self.assertEqual(list(self.successResultOf(start(self.layered.project_list()))), ["acme", "demo", "zoo"])
        hosted = self.successResultOf(start(self.layered.hosted_pages()))
        self.assertEqual([page.name for page in hosted], ["acme"])
        self.assertEqual(self.index.count(), before)
