"""Short documents of other servers."""

from __future__ import annotations

from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from pypid.upstream.documents import DocumentClient
from pypid.upstream.exchange import Exchange
from pypid.upstream.hosts import Hosts
from tests.kit.upstream import Stall, Status, redirect
from tests.upstream.network import ASKING, ROOT, UpstreamTestCase, start

URL = f"{ROOT}/keys"


class DocumentTests(UpstreamTestCase):
    def setUp(self) -> None:
        super().setUp()
        exchange = Exchange(self.agent, self.clock, Hosts(self.clock), ASKING, delay=lambda: ASKING.header_timeout)
        self.documents = DocumentClient(exchange, self.clock, timeout=5, limit=1000)

    def test_body(self) -> None:
        """Of any type: issuers have their keys as application/json, jwk-set+json or text/plain."""
        self.index.script("/keys", Status(200, body=b"{}"))
        self.assertEqual(self.successResultOf(start(self.documents.fetch(URL))), b"{}")

    def test_redirect_within_its_own_host(self) -> None:
        self.index.script("/keys", redirect("/elsewhere"))
        self.index.script("/elsewhere", Status(200, body=b"{}"))
        self.assertEqual(self.successResultOf(start(self.documents.fetch(URL))), b"{}")

    def test_too_long(self) -> None:
        self.index.script("/keys", Status(200, body=b"x" * 1001))
        self.failureResultOf(start(self.documents.fetch(URL)), UpstreamBroken)

    def test_any_other_status(self) -> None:
        for status in (204, 404, 403, 500):
            self.index.script("/keys", Status(status))
            self.failureResultOf(start(self.documents.fetch(URL)), UpstreamUnavailable)

    def test_silence(self) -> None:
        self.index.script("/keys", Stall())
        fetching = start(self.documents.fetch(URL))
        self.flush()
        self.clock.advance(5)
        self.flush()
        self.assertEqual(self.failureResultOf(fetching, UpstreamUnavailable).value.detail, "timeout")
