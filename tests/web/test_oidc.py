"""P10: trusted publishing as uv, pdm and gh-action-pypi-publish ask for it."""

from __future__ import annotations

import json
from typing import Any

from pypid.domain import signed_tokens
from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from pypid.domain.names import IndexName
from pypid.domain.publishers import Publisher
from pypid.indexes.issuer_keys import FetchedKeys
from pypid.indexes.trusted_publishing import LIFETIME, TrustedPublishing
from pypid.web.oidc import MAX_BODY
from pypid.web.site import PypidSite
from tests.kit.issuer import Issuer, RsaKey
from tests.web.oidc_site import OidcSite
from tests.web.world import HEADER_TIMEOUT, IDLE_TIMEOUT, Answer, WebTestCase

URL = "https://issuer.test"
KEY = RsaKey()
MINT, BURN = "/_/oidc/mint-token", "/_/oidc/burn-token"


class OidcTests(WebTestCase):
    def setUp(self) -> None:
        self.failure: UpstreamUnavailable | None = None
        super().setUp()

    def new_site(self) -> PypidSite:
        self.issuer = Issuer(URL, [KEY], now=self.clock.seconds)
        publisher = Publisher(
            name="app",
            issuer=URL,
            index=IndexName("main"),
            projects=("app",),
            claims={"repository": ("acme/app",)},
        )
        keys = FetchedKeys(URL, f"{URL}/keys", fetch=self.fetch, signatures=signed_tokens, seconds=self.clock.seconds)
        self.routes = OidcSite(
            TrustedPublishing(
                [publisher],
                {URL: keys},
                audience="pypi.example",
                signatures=signed_tokens,
                tokens=self.tokens,
                now=self.clock.seconds,
            )
        )
        return PypidSite(
            self.routes.app.resource(),
            self.current,
            reactor=self.clock,
            header_timeout=HEADER_TIMEOUT,
            idle_timeout=IDLE_TIMEOUT,
        )

    async def fetch(self, _: str) -> bytes:
        if self.failure is not None:
            raise self.failure
        return self.issuer.jwks

    def post(self, said: object, target: str = MINT, content_type: str | None = "application/json") -> Answer:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        return self.ask("POST", target, {} if content_type is None else {"Content-Type": content_type}, body)

    def identity_token(self, **changed: Any) -> str:
        return self.issuer.token("pypi.example", **changed)

    def assert_refused(self, answer: Answer, status: int, code: str) -> str:
        said = json.loads(answer.body)
        self.assertEqual((answer.status, said["message"]), (status, "Token request failed"))
        ((error),) = said["errors"]
        self.assertEqual(error["code"], code)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        return str(error["description"])

    def test_audience(self) -> None:
        answer = self.get("/_/oidc/audience")
        self.assertEqual((answer.status, json.loads(answer.body)), (200, {"audience": "pypi.example"}))
        self.assertEqual(answer.headers["Content-Type"], "application/json")

    def test_token_is_minted_and_burned(self) -> None:
        """With and without a type of the body, which uv has not always given; and where older actions ask."""
        for target, content_type in ((MINT, "application/json"), (MINT, None), ("/_/oidc/github/mint-token", None)):
            answer = self.post({"token": self.identity_token()}, target, content_type)
            said = json.loads(answer.body)
            self.assertEqual((answer.status, answer.headers["Cache-Control"]), (200, "no-store"))
            self.assertEqual(said, {"success": True, "token": said["token"], "expires": int(LIFETIME)})
            self.assertIsNotNone(self.tokens.find(said["token"]))
            for _ in range(2):
                burned = self.post({"token": said["token"]}, BURN)
                self.assertEqual((burned.status, json.loads(burned.body)), (202, {"success": True}))
                self.assertIsNone(self.tokens.find(said["token"]))

    def test_refusals_have_the_form_of_pypi(self) -> None:
        used = self.identity_token()
        self.post({"token": used})
        self.assert_refused(self.post({"token": used}), 422, "invalid-reuse-token")
        self.assert_refused(self.post({"token": "x"}), 422, "invalid-payload")
        self.assert_refused(self.post({"token": self.identity_token(aud="pypi")}), 422, "invalid-token")
        said = self.assert_refused(
            self.post({"token": self.identity_token(repository="a/b")}), 422, "invalid-publisher"
        )
        self.assertIn("a/b", said)

    def test_body_that_is_none(self) -> None:
        for body in (b"", b"{}", b"[]", b'{"token": 7}', b'{"token": null}', b"\xff", b"[" * 5000):
            for target in (MINT, BURN):
                self.assert_refused(self.post(body, target), 422, "invalid-payload")

    def test_body_that_is_too_long(self) -> None:
        peer = self.connect()
        peer.ask("POST", MINT, {"Content-Length": str(10 * MAX_BODY)}, b"x" * (MAX_BODY + 1))
        self.assert_refused(peer.answer("POST"), 413, "invalid-payload")
        peer.leave()

    def test_issuer_that_is_down_is_worth_another_try(self) -> None:
        """503 with Retry-After, in the form that gh-action-pypi-publish reads: not a word about the token."""
        for failure in (UpstreamUnavailable("no answer", retry_after=7), UpstreamBroken("nonsense", retry_after=7)):
            self.failure = failure
            answer = self.post({"token": self.identity_token()})
            self.assert_refused(answer, 503, "unavailable")
            self.assertEqual(answer.headers["Retry-After"], "7")
            self.clock.advance(60)

    def test_server_without_publishers(self) -> None:
        """404, by which clients know that a server has no trusted publishing."""
        self.routes.publishing = None
        self.assert_refused(self.get("/_/oidc/audience"), 404, "not-enabled")
        for target in (MINT, BURN):
            self.assert_refused(self.post({"token": "x"}, target), 404, "not-enabled")

    def test_other_methods(self) -> None:
        for method, target in (("POST", "/_/oidc/audience"), ("GET", MINT), ("GET", BURN)):
            self.assertEqual(self.ask(method, target).status, 405)
        self.assertEqual(self.get("/_/oidc/").status, 404)
