"""What is rendered, where, and how often: whatever many clients ask, each change costs one rendering."""

from __future__ import annotations

import gzip
from functools import cached_property

from tests.indexes.stores import Disk
from tests.kit.dists import sdist, wheel
from tests.web.world import Answer, Peer, WebTestCase

JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}
FORMS = [
    {"Accept": accept, "Accept-Encoding": coding}
    for accept in (*JSON.values(), "text/html")
    for coding in ("identity", "gzip", "zstd")
]
TARGETS = ("/simple/", "/simple/demo/", "/packages/", "/root/pypi/simple/", "/root/pypi/simple/other/")


class _Counting(Disk):
    """Counts what is handed in."""

    count = 0

    def __call__(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
        self.count += 1
        return super().__call__(*args, **kwargs)  # type: ignore[arg-type]


class RenderingTestCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.publish(wheel("demo"))
        self.index.add(wheel("other"))
        self.get("/simple/other/")
        self.renderings()

    @cached_property
    def renderer(self) -> _Counting:
        return _Counting()

    def renderings(self) -> int:
        """Return how many there were since this was asked last."""
        count, self.renderer.count = self.renderer.count, 0
        return count

    def again(self, target: str, form: dict[str, str], answer: Answer) -> Answer:
        return self.get(target, {**form, "If-None-Match": answer.headers["ETag"]})


class RenderedOnceTests(RenderingTestCase):
    def test_each_form_is_rendered_once_however_often_it_is_asked_for(self) -> None:
        for target in TARGETS:
            forms = FORMS[3:] if target == "/packages/" else FORMS
            first = [self.get(target, form).body for form in forms]
            self.assertEqual(self.renderings(), len(forms), target)
            self.assertEqual([self.get(target, form).body for form in forms], first)
            self.assertEqual(self.renderings(), 0, target)

    def test_304_renders_nothing(self) -> None:
        for target in TARGETS:
            answer = self.get(target, JSON)
            self.renderings()
            self.assertEqual(self.again(target, JSON, answer).status, 304)
            self.assertEqual(self.renderings(), 0, target)

    def test_change_is_rendered_once(self) -> None:
        for target, changed in (
            ("/simple/demo/", sdist("demo", "2.0")),
            ("/simple/", wheel("new")),
            ("/packages/", wheel("new", "2.0")),
        ):
            before = self.get(target, JSON)
            self.publish(changed)
            self.renderings()
            after = self.again(target, JSON, before)
            self.assertEqual(after.status, 200)
            self.assertEqual(self.get(target, JSON).body, after.body)
            self.assertEqual(self.renderings(), 1, target)

    def test_list_is_not_rendered_again_for_what_it_does_not_show(self) -> None:
        answer = self.get("/simple/")
        self.publish(wheel("demo", "2.0"))
        self.renderings()
        self.assertEqual(self.again("/simple/", {}, answer).status, 304)
        self.assertEqual(self.renderings(), 0)

    def test_simultaneous_clients_share_one_rendering(self) -> None:
        for target in TARGETS:
            self.renderer.held = "*"
            peers = self.ask_all(target, 20)
            self.assertEqual(self.renderer.waiting, 1, target)
            self.assertEqual([peer.received for peer in peers], [b""] * 20, "nothing is rendered meanwhile")
            self.renderer.release()
            self.assertEqual({peer.answer().status for peer in peers}, {200})

    def test_client_that_leaves_does_not_undo_what_was_begun(self) -> None:
        self.renderer.held = "*"
        (peer,) = self.ask_all("/simple/demo/", 1)
        peer.leave()
        self.renderer.release()
        self.renderings()
        self.assertEqual(self.get("/simple/demo/").status, 200)
        self.assertEqual(self.renderings(), 0)

    def ask_all(self, target: str, number: int) -> list[Peer]:
        peers = [self.connect() for _ in range(number)]
        for peer in peers:
            peer.ask("GET", target)
        return peers


class BoundedTests(RenderingTestCase):
    rendered_pages = 2**16

    def setUp(self) -> None:
        super().setUp()
        for number in range(90):
            self.index.add(wheel("big", f"1.{number}"))

    def test_only_the_latest_revision_of_a_page_is_kept(self) -> None:
        """Else each upload would cost another page its place."""
        self.get("/root/pypi/simple/other/")
        for number in range(40):
            self.publish(sdist("demo", f"3.{number}"))
            self.get("/simple/demo/")
        self.renderings()
        self.get("/root/pypi/simple/other/")
        self.assertEqual(self.renderings(), 0)

    def test_body_too_large_to_be_kept_costs_no_other_its_place(self) -> None:
        self.get("/simple/demo/")
        big = self.get("/simple/big/")
        self.assertGreater(len(big.body), self.rendered_pages / 4)
        self.renderings()
        self.get("/simple/demo/")
        self.assertEqual(self.renderings(), 0)
        self.get("/simple/big/")
        self.assertEqual(self.renderings(), 1, "it is not kept")
        self.assertEqual(gzip.decompress(self.get("/simple/big/", {"Accept-Encoding": "gzip"}).body), big.body)

    def test_304_needs_no_body_that_is_kept(self) -> None:
        big = self.get("/simple/big/")
        self.renderings()
        self.assertEqual(self.again("/simple/big/", {}, big).status, 304)
        self.assertEqual(self.renderings(), 0)

    def test_who_asks_while_it_is_sent_shares_it(self) -> None:
        """The list of a million projects, asked for by twenty clients: rendered for the first, held once for all."""
        for number in range(90, 500):
            self.index.add(wheel("large", f"1.{number}"))
        slow = self.connect()
        slow.read_slowly()
        slow.ask("GET", "/simple/large/")
        self.flush()
        self.renderings()
        for _ in range(19):
            self.get("/simple/large/")
        self.assertEqual(self.renderings(), 0)
