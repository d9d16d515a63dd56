"""A page of links as upstream."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import Deferred

from pypid.domain.errors import ProjectNotFound, UpstreamBroken, UpstreamUnavailable
from pypid.domain.files import ProjectPage
from pypid.domain.names import IndexName, NormalizedName, normalize_name
from pypid.indexes.find_links import BELIEVED, FindLinks
from pypid.indexes.layered import LayeredIndex
from pypid.offload import inline
from tests.indexes.stores import DEMO, RULES, StoresTestCase
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.upstream import Rst, Status
from tests.upstream.network import ROOT, start

PAGE = "/wheels/"
ACME = normalize_name("acme")
HTML = {"Content-Type": "text/html; charset=utf-8"}
OLD_ENOUGH = RULES.lifetime.ttl + RULES.lifetime.grace + BELIEVED


class FindLinksTests(StoresTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(1_800_000_000)
        self.restart()
        self.demo = self.index.add(wheel("demo"))
        self.acme = self.index.add(sdist("acme"))
        self.offer(self.demo, self.acme)

    def restart(self) -> None:
        mirroring = self.mirroring(upstream=f"{ROOT}{PAGE}")
        links = FindLinks(self.client, mirroring.upstream, parse=inline, max_page=2**20, now=self.clock.seconds)
        self.main = self.mirror(mirroring=replace(mirroring, client=links))

    def offer(self, *dists: Dist) -> None:
        """Let the page have links to these and no others."""
        self.index.heal()
        links = "".join(f'<a href="{self.index.file_path(dist)}">{dist.filename}</a>' for dist in dists)
        body = f"<html><h1>Directory listing</h1>{links}</html>".encode()
        self.index.script(PAGE, Status(200, HTML, body), times=None)

    def get(self, project: NormalizedName = DEMO) -> Deferred[ProjectPage]:
        return start(self.main.project_page(project))

    def names(self, project: NormalizedName = DEMO) -> list[str]:
        return [file.filename for file in self.successResultOf(self.get(project)).files]

    def asked(self) -> int:
        return self.index.count(glob=PAGE)

    def test_one_page_is_fetched_for_all_projects(self) -> None:
        self.assertEqual(self.names(), [self.demo.filename])
        self.assertEqual(self.names(ACME), [self.acme.filename])
        self.failureResultOf(self.get(normalize_name("zoo")), ProjectNotFound)
        self.assertEqual(self.asked(), 1)
        (file,) = self.successResultOf(self.get()).files
        opened = self.successResultOf(start(self.main.open_file(DEMO, file.filename, file.digest_prefix)))
        self.assertEqual(self.successResultOf(self.read_all(opened)), self.demo.content)

    def test_new_file_is_seen(self) -> None:
        self.names()
        second = self.index.add(wheel("demo", "2.0"))
        self.offer(self.demo, self.acme, second)
        self.clock.advance(OLD_ENOUGH)
        self.assertEqual(self.names(), [self.demo.filename, second.filename])
        self.assertEqual(self.asked(), 2)

    def test_project_whose_links_go_is_gone(self) -> None:
        self.names()
        self.offer(self.acme)
        self.clock.advance(OLD_ENOUGH)
        self.failureResultOf(self.get(), ProjectNotFound)

    def test_outage_costs_nobody_what_is_known(self) -> None:
        self.names()
        self.index.heal()
        self.index.script(PAGE, Rst(), times=None)
        self.clock.advance(OLD_ENOUGH)
        self.assertEqual(self.names(), [self.demo.filename])
        self.restart()
        self.assertEqual(self.names(), [self.demo.filename])
        self.failureResultOf(self.get(ACME), UpstreamUnavailable)

    def test_page_that_says_nothing_of_any_project_is_no_answer_for_one(self) -> None:
        """Else the next index would be asked for all of their names."""
        second = self.mirror(IndexName("second"))
        layered = LayeredIndex(IndexName("main"), [self.main, second])
        self.index.heal()
        for fault in (
            Status(404),
            Status(200, HTML, b"<html>sign in"),
            Status(200, {"Content-Type": "image/png"}, b""),
        ):
            self.index.script(PAGE, fault)
            self.failureResultOf(start(layered.project_page(DEMO)), UpstreamBroken)
            self.clock.advance(60)
        self.assertEqual(self.index.count(glob="/simple/*"), 0)
