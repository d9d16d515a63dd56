"""What a client of ours sees when the upstream is hostile: nothing of it, the page from before, or a 502."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from pypid.domain.errors import UpstreamBroken
from pypid.indexes.pages import MirroredPages
from tests.domain.readers import OUR_TAGS, read_html, read_json
from tests.domain.strategies import HTMLReader
from tests.indexes.stores import DEMO, RULES, Disk
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.upstream import FlipByte, Status
from tests.upstream.network import start
from tests.web.world import Answer, WebTestCase

JSON = "application/vnd.pypi.simple.v1+json"
PAGE = "/simple/demo/"
EXPIRED = RULES.lifetime.ttl + RULES.lifetime.grace + 1
SHA256 = "ab" * 32
MARKUP = '"\'></a><script>alert(1)</script><a onmouseover="alert(1)'


def page_in_json(body: bytes | str) -> Status:
    return Status(200, {"Content-Type": JSON}, body.encode() if isinstance(body, str) else body)


def page_in_html(body: str) -> Status:
    return Status(200, {"Content-Type": "text/html; charset=utf-8"}, body.encode())


def entry(filename: str, **keys: Any) -> dict[str, Any]:
    return {"filename": filename, "url": "https://files.test/x", "hashes": {"sha256": SHA256}} | keys


def listed(answer: Answer) -> list[str]:
    """Return the filenames, as pypi-simple reads them."""
    read = read_json if answer.headers["Content-Type"] == JSON else read_html
    return [package.filename for package in read(answer.body, "https://pypid.test/simple/demo/").packages]


UNREADABLE = {
    "A43 endless": page_in_json(b'{"files": [], "x": "' + b"x" * RULES.max_page),
    "A43 unfolds without end": Status(
        200, {"Content-Type": JSON, "Content-Encoding": "gzip"}, gzip.compress(b" " * (RULES.max_page + 1))
    ),
    "A43 depth": page_in_json('{"files": [' + "[" * 100_000 + "]" * 100_000 + "]}"),
    "A43 files": page_in_json('{"files": [' + "1," * 200_000 + "1]}"),
    "A43 name": page_in_json(json.dumps({"files": [], "name": "x" * 500_000})),
    "A43 NaN": page_in_json('{"files": [], "x": NaN}'),
    "A43 lone surrogate": page_in_json('{"files": [], "name": "\\ud800"}'),
    "A43 invalid UTF-8": page_in_json(b'{"files": [], "x": "\xff"}'),
    "A43 BOM": page_in_json("\ufeff" + '{"files": []}'),
    "A44 marked section": page_in_html("<html><![x[<a href='x'>"),
    "A44 cut off": page_in_html("<html><a href='demo-1.0.tar.gz"),
    "A44 endless comment": page_in_html("<html><!--" + "x" * 100_000),
    "A44 reference": page_in_html(f"<html><p>&#{'1' * 5000};</p>"),
    "A47 major version in JSON": page_in_json('{"meta": {"api-version": "2.0"}, "files": []}'),
    "A47 junk version": page_in_json('{"meta": {"api-version": "<script>"}, "files": []}'),
    "A47 major version in HTML": page_in_html('<html><meta name="pypi:repository-version" content="2.0">'),
}


class UnreadablePageTests(WebTestCase):
    def test_page_that_is_known_goes_on_being_served(self) -> None:
        """And so do its files: rows A43, A44 and A47."""
        demo = self.index.add(wheel("demo"))
        before = self.get(PAGE, {"Accept": JSON})
        for why, page in UNREADABLE.items():
            self.clock.advance(EXPIRED)
            self.index.script(PAGE, page)
            asked = self.index.count(glob=PAGE)
            answer = self.get(PAGE, {"Accept": JSON})
            self.assertEqual((answer.status, answer.body), (200, before.body), why)
            self.assertEqual(self.index.count(glob=PAGE), asked + 1, why)
        self.assertEqual(self.get(file_url(demo)).body, demo.content)

    def test_page_that_nobody_knows_is_a_502_which_says_why(self) -> None:
        """Never 404, which sends installers to other indexes, and never an error of ours."""
        for why, page in UNREADABLE.items():
            self.index.script(PAGE, page)
            answer = self.get(PAGE, {"Accept": "text/html"})
            self.assertEqual(answer.status, 502, why)
            self.assertNotIn(b"<script", answer.body)
            self.assertLess(len(answer.body), 2000)
        self.index.add(wheel("demo"))
        self.assertEqual(self.get(PAGE).status, 200, "and it is not held against the upstream")
        self.assertEqual(self.flushLoggedErrors(), [])


class HostileFieldTests(WebTestCase):
    def served(self, page: Status) -> list[Answer]:
        self.index.script(PAGE, page)
        answers = [self.get(PAGE, {"Accept": accept}) for accept in (JSON, "text/html")]
        self.assertEqual([answer.status for answer in answers], [200, 200])
        return answers

    def test_a40_files_that_are_none_of_the_project_are_not_listed(self) -> None:
        wrong = ("other-1.0.tar.gz", "demo-1.0.exe", "demo-1.0\u202ezg.rat", "d\u0435mo-1.0.tar.gz", "demo-x.tar.gz")
        entries = [entry(filename) for filename in (*wrong, "demo-1.0.tar.gz")]
        for answer in self.served(page_in_json(json.dumps({"files": entries}))):
            self.assertEqual(listed(answer), ["demo-1.0.tar.gz"])

    def test_a41_files_whose_digest_is_in_dispute_are_not_listed_nor_served(self) -> None:
        entries = [
            entry("demo-1.0.tar.gz"),
            entry("demo-1.0.tar.gz", hashes={"sha256": "cd" * 32}),
            entry("demo-2.zip"),
        ]
        for answer in self.served(page_in_json(json.dumps({"files": entries}))):
            self.assertEqual(listed(answer), ["demo-2.zip"])
        self.assertEqual(self.get(f"/main/files/demo/{SHA256[:16]}/demo-1.0.tar.gz").status, 404)

    def test_a45_markup_is_text(self) -> None:
        hostile = entry("demo-1.0.tar.gz", **{"requires-python": MARKUP, "yanked": MARKUP})
        status = {"status": "archived", "reason": MARKUP}
        in_json, in_html = self.served(
            page_in_json(json.dumps({"files": [hostile], "versions": [MARKUP], "project-status": status}))
        )
        self.assertNotIn(b"<script", in_html.body)
        self.assertLessEqual({tag for tag, _ in HTMLReader(in_html.body).tags}, OUR_TAGS)
        self.assertEqual(json.loads(in_json.body)["versions"], [MARKUP])
        for theirs in (read_json(in_json.body), read_html(in_html.body)):
            (package,) = theirs.packages
            said = (package.requires_python, package.yanked_reason, theirs.status_reason)
            self.assertEqual(said, (MARKUP, MARKUP, MARKUP))

    def test_a44_malformed_html_with_a_base(self) -> None:
        """Links lead to our files wherever the upstream's base is."""
        broken = f'<base href="//files.test/x/"><table><p <b><a href=demo-1.0.tar.gz#sha256={SHA256}><a href="x'
        for answer in self.served(page_in_html(f'{broken}"></script>&#1;</div>')):
            self.assertEqual(listed(answer), ["demo-1.0.tar.gz"])
            self.assertNotIn(b"files.test", answer.body)

    def test_a47_newer_minor_version_is_read(self) -> None:
        page = {"meta": {"api-version": "1.99", "x": 1}, "files": [entry("demo-1.0.tar.gz", x=[None])], "x": {}}
        for answer in self.served(page_in_json(json.dumps(page))):
            self.assertEqual(listed(answer), ["demo-1.0.tar.gz"])


class OffloadTests(WebTestCase):
    def test_a43_pages_are_read_where_blocking_work_is_done(self) -> None:
        """The reactor goes on while a page is found to be none."""
        worker = Disk()
        worker.held = "*"
        pages = MirroredPages(replace(self.mirroring(), parse=worker))
        self.index.script(PAGE, UNREADABLE["A43 depth"])
        got = start(pages.get(DEMO))
        self.flush()
        self.assertNoResult(got)
        self.assertEqual(worker.waiting, 1)
        worker.release()
        self.failureResultOf(got, UpstreamBroken)


@implementer(ILogObserver)
class _Log:
    """What an operator is warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if event["log_level"] is LogLevel.warn:
            self.warnings.append(formatEvent(event))


class MutationTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.old = self.index.add(sdist("demo", summary="as it was published"))
        self.new = sdist("demo", summary="something else under the same name")
        self.log = _Log()
        globalLogPublisher.addObserver(self.log)
        self.addCleanup(globalLogPublisher.removeObserver, self.log)

    def test_a42_other_bytes_under_one_name_are_another_file(self) -> None:
        """The old one stays where lock files have it, the new one has a URL of its own, and it is logged."""
        self.assertEqual(self.get(file_url(self.old)).body, self.old.content)
        self.clock.advance(EXPIRED)
        self.index.add(wheel("demo", "2.0"))
        self.assertEqual(len(listed(self.get(PAGE))), 2)
        self.assertEqual(self.log.warnings, [])
        self.clock.advance(EXPIRED)
        self.index.add(self.new)
        self.assertIn(self.new.filename, listed(self.get(PAGE)))
        (warning,) = self.log.warnings
        self.assertIn(f"other bytes under the name of {self.new.filename};", warning)
        self.assertEqual(self.get(file_url(self.new)).body, self.new.content)
        asked = len(self.index.requests)
        self.assertEqual(self.get(file_url(self.old)).body, self.old.content)
        self.assertEqual(len(self.index.requests), asked)
        self.assertEqual(self.kept_blobs(), {self.old.sha256, self.new.sha256})

    def test_a42_bytes_that_change_behind_the_page_reach_nobody(self) -> None:
        self.get(PAGE)
        self.index.script(self.index.file_path(self.old), FlipByte(at=5), times=None)
        self.assertEqual(self.get(file_url(self.old)).status, 502)
        self.assertEqual(self.kept_blobs(), set())


def file_url(dist: Dist) -> str:
    return f"/main/files/demo/{dist.sha256[:16]}/{dist.filename}"
