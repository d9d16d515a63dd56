"""P10: an issuer's keys: fetched once, kept for an hour, never at a stranger's command."""

from __future__ import annotations

import json

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain import signed_tokens
from pypid.domain.errors import UpstreamUnavailable
from pypid.indexes.issuer_keys import ASK_AGAIN, FRESH, RETRY, FetchedKeys
from tests.kit.issuer import EcKey, EdKey, Issuer

URL = "https://issuer.test"
DISCOVERY, KEYS = f"{URL}/.well-known/openid-configuration", f"{URL}/keys"


class FetchedKeysTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.issuer = Issuer(URL, [EdKey("one")])
        self.asked: list[str] = []
        self.down = False
        self.said: dict[str, bytes] = {}
        self.held: list[Deferred[None]] | None = None
        self.keys = self.made()

    def made(self, jwks: str | None = None) -> FetchedKeys:
        return FetchedKeys(URL, jwks, fetch=self.fetch, signatures=signed_tokens, seconds=self.clock.seconds)

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if self.held is not None:
            waiting: Deferred[None] = Deferred()
            self.held.append(waiting)
            await waiting
        if self.down:
            raise UpstreamUnavailable("no answer", retry_after=7)
        return {DISCOVERY: self.issuer.configuration, KEYS: self.issuer.jwks, **self.said}[url]

    def find(self, key_id: str) -> Deferred[object]:
        return Deferred.fromCoroutine(self.keys.find(key_id))

    def has(self, key_id: str) -> bool:
        return self.successResultOf(self.find(key_id)) is not None

    def asks(self) -> list[str]:
        asked, self.asked = self.asked, []
        return asked

    def test_asked_when_first_needed_and_then_for_an_hour_no_more(self) -> None:
        self.assertTrue(self.has("one"))
        self.assertEqual(self.asks(), [DISCOVERY, KEYS])
        self.clock.advance(FRESH - 1)
        self.assertTrue(self.has("one"))
        self.assertEqual(self.asks(), [])
        self.issuer.keys = [EdKey("two")]
        self.clock.advance(1)
        self.assertFalse(self.has("one"), "withdrawn")
        self.assertEqual(self.asks(), [DISCOVERY, KEYS])

    def test_url_of_the_keys_may_be_given(self) -> None:
        self.keys = self.made(KEYS)
        self.assertTrue(self.has("one"))
        self.assertEqual(self.asks(), [KEYS])

    def test_new_key_is_asked_for_at_most_once_a_minute(self) -> None:
        """A thousand tokens that name keys at random cost the issuer one request."""
        self.has("one")
        self.asks()
        self.issuer.keys.append(EcKey("two"))
        for number in range(1000):
            self.assertFalse(self.has(f"made up {number}"))
        self.assertEqual(self.asks(), [])
        self.clock.advance(ASK_AGAIN)
        self.assertTrue(self.has("two"))
        self.assertEqual(self.asks(), [DISCOVERY, KEYS])
        self.assertFalse(self.has("three"))
        self.assertEqual(self.asks(), [])

    def test_issuer_that_is_down_is_no_wrong_token(self) -> None:
        """Who asks is told to come back, also while the issuer is not asked again."""
        self.down = True
        for _ in range(3):
            error = self.failureResultOf(self.find("one"), UpstreamUnavailable).value
            self.assertEqual(error.retry_after, 7)
        self.assertEqual(self.asks(), [DISCOVERY])
        self.down = False
        self.clock.advance(RETRY)
        self.assertTrue(self.has("one"))

    def test_outage_with_keys(self) -> None:
        self.has("one")
        self.down = True
        self.clock.advance(ASK_AGAIN)
        self.failureResultOf(self.find("two"), UpstreamUnavailable)
        self.failureResultOf(self.find("two"), UpstreamUnavailable)
        self.assertTrue(self.has("one"), "still good")
        self.clock.advance(FRESH)
        self.failureResultOf(self.find("one"), UpstreamUnavailable)

    def test_many_at_once_ask_once(self) -> None:
        self.held = []
        finding = [self.find("one") for _ in range(10)]
        self.assertEqual(self.asked, [DISCOVERY])
        self.held.pop().callback(None)
        self.held.pop().callback(None)
        for each in finding:
            self.assertIsNotNone(self.successResultOf(each))
        self.assertEqual(self.asked, [DISCOVERY, KEYS])

    def test_client_that_asks_and_goes_does_not_start_anew_each_time(self) -> None:
        self.held = []
        for _ in range(3):
            gone = self.find("one")
            gone.cancel()
            self.failureResultOf(gone, CancelledError)
        self.assertEqual(self.asked, [DISCOVERY])
        self.held.pop().callback(None)
        self.held.pop().callback(None)
        self.assertTrue(self.has("one"))
        self.assertEqual(self.asked, [DISCOVERY, KEYS])

    def test_issuer_that_talks_nonsense(self) -> None:
        for configuration in (
            b"", b"[]", b"{}", b"\xff", json.dumps({"issuer": f"{URL}/", "jwks_uri": KEYS}).encode(),
            json.dumps({"issuer": URL, "jwks_uri": "http://issuer.test/keys"}).encode(),
            json.dumps({"issuer": URL, "jwks_uri": "file:///etc/passwd"}).encode(),
        ):  # fmt: skip
            self.said[DISCOVERY] = configuration
            self.keys = self.made()
            self.failureResultOf(self.find("one"), UpstreamUnavailable)
            self.assertEqual(self.asks(), [DISCOVERY])

    def test_keys_that_cannot_be_read(self) -> None:
        self.said[KEYS] = b"<html>"
        self.keys = self.made(KEYS)
        self.assertIn(URL, str(self.failureResultOf(self.find("one"), UpstreamUnavailable).value))
