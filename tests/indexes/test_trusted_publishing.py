"""P10: an upload token in exchange for an identity token, and everything for which there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from pypid.domain import signed_tokens
from pypid.domain.errors import UpstreamUnavailable
from pypid.domain.identity_tokens import TokenRefused
from pypid.domain.names import IndexName
from pypid.domain.publishers import Publisher
from pypid.domain.rights import Right
from pypid.domain.tokens import Token
from pypid.indexes.issuer_keys import FetchedKeys, GivenKeys, IssuerKeys
from pypid.indexes.trusted_publishing import LIFETIME, Minted, TrustedPublishing
from tests.indexes.test_tokens import NOW, TokensCase
from tests.kit.issuer import Issuer, RsaKey

GITHUB_LIKE, OTHER = "https://issuer.test", "https://other.test"
KEY = RsaKey()
APP = Publisher(
    name="app",
    issuer=GITHUB_LIKE,
    index=IndexName("main"),
    projects=("app", "app-*"),
    claims={"repository": ("acme/app",), "ref": ("refs/tags/*",)},
)


class TrustedPublishingCase(TokensCase):
    def setUp(self) -> None:
        super().setUp()
        self.issuer = Issuer(GITHUB_LIKE, [KEY], now=lambda: self.now)
        self.publishing = self.made(APP)

    def keys(self, issuer: Issuer) -> GivenKeys:
        return GivenKeys(signed_tokens.read_keys(issuer.jwks))

    def made(self, *publishers: Publisher, keys: IssuerKeys | None = None) -> TrustedPublishing:
        return TrustedPublishing(
            publishers,
            {GITHUB_LIKE: keys or self.keys(self.issuer)},
            audience="pypid",
            signatures=signed_tokens,
            tokens=self.tokens,
            now=lambda: self.now,
        )

    def mint(self, token: str) -> Minted:
        minted: Minted = self.successResultOf(Deferred.fromCoroutine(self.publishing.mint(token)))
        return minted

    def refusal(self, token: str) -> tuple[str, str]:
        error = self.failureResultOf(Deferred.fromCoroutine(self.publishing.mint(token)), TokenRefused).value
        self.assertEqual(self.successResultOf(self.tokens.listed(None)), [], "a token was made")
        return error.code, str(error)


class MintingTests(TrustedPublishingCase):
    def test_token_for_the_publisher_s_projects(self) -> None:
        minted = self.mint(self.issuer.token())
        self.assertEqual(
            minted.token,
            Token(
                id=minted.token.id,
                user="publisher:app (acme/app@refs/tags/v1.0)",
                rights=frozenset({Right.UPLOAD}),
                index=IndexName("main"),
                projects=("app", "app-*"),
                description=minted.token.description,
                publishers=("app",),
                created_at=NOW,
                expires_at=NOW + LIFETIME,
            ),
        )
        self.assertIn("repository 'acme/app'", minted.token.description)
        self.assertIn("run_id '42'", minted.token.description)
        self.assertEqual(self.tokens.find(minted.text), minted.token)

    def test_every_one_that_matches(self) -> None:
        """As on PyPI: one workflow that publishes two projects gets one token."""
        lib = Publisher(
            name="lib",
            issuer=GITHUB_LIKE,
            index=APP.index,
            projects=("lib", "app"),
            claims={"repository_owner_id": ("99",)},
        )
        self.publishing = self.made(APP, lib)
        token = self.mint(self.issuer.token()).token
        self.assertEqual((token.projects, token.publishers), (("app", "app-*", "lib"), ("app", "lib")))

    def test_burned(self) -> None:
        minted = self.mint(self.issuer.token())
        for text in ("", "pypid-x", minted.text, minted.text):
            self.successResultOf(Deferred.fromCoroutine(self.publishing.burn(text)))
        self.assertIsNone(self.tokens.find(minted.text))


class RefusalTests(TrustedPublishingCase):
    def test_replay(self) -> None:
        token = self.issuer.token()
        minted = self.mint(token)
        refused = self.failureResultOf(Deferred.fromCoroutine(self.publishing.mint(token)), TokenRefused).value
        self.assertEqual(refused.code, "invalid-reuse-token")
        self.assertEqual(len(self.successResultOf(self.tokens.listed(None))), 1)
        self.assertEqual(self.tokens.find(minted.text), minted.token, "the first one goes on working")

    def test_claims_that_do_not_match(self) -> None:
        for changed in (
            {"repository": "evil/app"}, {"repository": "acme/app2"}, {"ref": "refs/heads/main"}, {"ref": None},
        ):  # fmt: skip
            code, said = self.refusal(self.issuer.token(**changed))
            self.assertEqual(code, "invalid-publisher")
            self.assertIn("acme", said.replace("evil", "acme"))

    def test_everything_that_is_wrong_with_a_token(self) -> None:
        wrong: list[tuple[str, Callable[[], str]]] = [
            ("invalid-payload", lambda: "x"),
            ("invalid-token", lambda: self.issuer.token(audience="pypi")),
            ("invalid-token", lambda: self.issuer.token(exp=NOW - 60)),
            ("invalid-token", lambda: self.issuer.token(jti=None)),
            ("invalid-token", lambda: self.issuer.token(key=RsaKey())),
            ("invalid-token", lambda: self.issuer.token(header={"kid": "other"})),
            ("invalid-token", lambda: self.issuer.token(header={"alg": "none"})),
            # Signed by one whom nobody here trusts, or in the name of another.
            ("invalid-token", lambda: Issuer(OTHER, [KEY], now=lambda: self.now).token()),
            ("invalid-token", lambda: self.issuer.token(iss=OTHER)),
        ]
        for code, make in wrong:
            self.assertEqual(self.refusal(make())[0], code)

    def test_issuer_s_own_key_for_another_issuer(self) -> None:
        """Two issuers are trusted; one of them signs what it likes, in the other's name."""
        other = Issuer(OTHER, [RsaKey("other")], now=lambda: self.now)
        theirs = Publisher(name="theirs", issuer=OTHER, index=APP.index, projects=("x",), claims={"sub": ("x",)})
        self.publishing = TrustedPublishing(
            [APP, theirs],
            {GITHUB_LIKE: self.keys(self.issuer), OTHER: self.keys(other)},
            audience="pypid",
            signatures=signed_tokens,
            tokens=self.tokens,
            now=lambda: self.now,
        )
        self.assertEqual(self.refusal(other.token(iss=GITHUB_LIKE))[0], "invalid-token")
        self.assertEqual(self.refusal(other.token())[0], "invalid-publisher")

    def test_two_indexes_at_once(self) -> None:
        self.publishing = self.made(
            APP, Publisher(name="dev", issuer=GITHUB_LIKE, index=IndexName("dev"), projects=("app",), claims=APP.claims)
        )
        code, said = self.refusal(self.issuer.token())
        self.assertEqual(code, "invalid-publisher")
        self.assertIn("dev, main", said)

    def test_issuer_that_is_down(self) -> None:
        """Nobody knows whether the token is good: that is no refusal, and the token can be brought again."""
        down = True

        async def fetch(_: str) -> bytes:
            if down:
                raise UpstreamUnavailable("no answer")
            return self.issuer.jwks

        keys = FetchedKeys(
            GITHUB_LIKE, f"{GITHUB_LIKE}/keys", fetch=fetch, signatures=signed_tokens, seconds=lambda: self.now
        )
        self.publishing = self.made(APP, keys=keys)
        token = self.issuer.token()
        self.failureResultOf(Deferred.fromCoroutine(self.publishing.mint(token)), UpstreamUnavailable)
        down = False
        self.now += 10
        self.mint(token)

    def test_claims_of_any_length(self) -> None:
        def long(**claims: Any) -> str:
            return self.issuer.token(**claims)

        minted = self.mint(long(sub="x" * 3000, environment="y\n" * 500, sha=["z"] * 100))
        self.assertLess(len(minted.token.description), 1001)
        self.assertLess(len(minted.token.user), 300)
