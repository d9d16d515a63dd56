"""A24: what is withdrawn stays for lock files, but for what its index has put in quarantine (PEP 792)."""

from __future__ import annotations

from dataclasses import replace

from pypid.domain.errors import FileNotFound, PackageIndexError, ProjectNotFound
from pypid.indexes.absences import ABSENT_TTL
from pypid.indexes.index import FileBody
from pypid.indexes.mirror import MirrorIndex
from tests.indexes.stores import DEMO, RULES, StoresTestCase
from tests.kit.dists import wheel
from tests.kit.upstream import Rst
from tests.upstream.network import start

OLD_ENOUGH = RULES.lifetime.ttl + RULES.lifetime.grace + 1


class QuarantineTests(StoresTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(1_800_000_000)
        self.demo = self.index.add(wheel("demo"))
        self.mirrored = self.mirror()
        self.assertEqual(self.content(), self.demo.content)

    def restarted(self, *, serve_quarantined: bool = False) -> MirrorIndex:
        rules = replace(RULES, serve_quarantined=serve_quarantined)
        return self.mirror(mirroring=self.mirroring(rules=rules))

    def content(self) -> bytes:
        return self.successResultOf(self.read_all(self.opened()))

    def opened(self) -> FileBody:
        return self.successResultOf(start(self.mirrored.open_file(DEMO, self.demo.filename, self.demo.sha256[:16])))

    def refused(self, why: type[PackageIndexError]) -> None:
        asking = start(self.mirrored.open_file(DEMO, self.demo.filename, self.demo.sha256[:16]))
        self.failureResultOf(asking, why)

    def learn(self) -> None:
        """Have the project's page asked for anew."""
        self.clock.advance(OLD_ENOUGH)
        start(self.mirrored.project_page(DEMO)).addErrback(lambda failure: failure.trap(ProjectNotFound))

    def test_a24_file_of_a_withdrawn_project_is_served(self) -> None:
        self.index.remove_project("demo")
        self.learn()
        self.assertEqual(self.content(), self.demo.content)

    def test_a24_file_of_a_project_in_quarantine_is_not(self) -> None:
        self.index.set_status("demo", "quarantined", "malware")
        self.learn()
        self.refused(FileNotFound)
        self.mirrored = self.restarted()
        self.index.script("*", Rst(), times=None)
        self.refused(FileNotFound)

    def test_a24_nor_when_the_project_is_withdrawn_in_the_end(self) -> None:
        self.index.set_status("demo", "quarantined")
        self.learn()
        self.index.remove_project("demo")
        self.learn()
        self.refused(ProjectNotFound)
        self.mirrored = self.restarted()
        self.refused(ProjectNotFound)

    def test_quarantine_that_is_lifted(self) -> None:
        """Found out by the file's request itself, as soon as the page is old."""
        self.index.set_status("demo", "quarantined")
        self.learn()
        self.refused(FileNotFound)
        self.index.set_status("demo", "active")
        self.clock.advance(max(OLD_ENOUGH, ABSENT_TTL))
        asked = self.index.count(glob="/packages/*")
        self.assertEqual(self.content(), self.demo.content)
        self.assertEqual(self.index.count(glob="/packages/*"), asked)

    def test_other_statuses_are_no_quarantine(self) -> None:
        self.index.set_status("demo", "archived")
        self.learn()
        self.assertEqual(self.content(), self.demo.content)

    def test_setting_serves_it_all_the_same(self) -> None:
        self.mirrored = self.restarted(serve_quarantined=True)
        self.index.set_status("demo", "quarantined")
        self.learn()
        self.assertEqual(self.content(), self.demo.content)
