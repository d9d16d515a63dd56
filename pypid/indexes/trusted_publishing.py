"""Trusted publishing: a token to upload with, in exchange for an identity token of a CI service."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from twisted.logger import Logger

from pypid.domain.claim_rules import Claims
from pypid.domain.identity_tokens import LEEWAY, Key, Signatures, TokenRefused, check_claims
from pypid.domain.names import shorten
from pypid.domain.publishers import Publisher, matching, told, user_of
from pypid.domain.rights import Right
from pypid.domain.tokens import Token, Wish
from pypid.indexes.issuer_keys import IssuerKeys
from pypid.indexes.tokens import Tokens
from pypid.storage.tokens import Once, UsedUp

LIFETIME = 900.0
"""Seconds: enough to upload a release, and what PyPI gives; PEP 807 (draft) forbids less."""

MAX_DESCRIPTION = 1000
"""Characters of the claims that are kept with a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """A new token, and how it is written."""

    text: str
    token: Token


class TrustedPublishing:
    """The publishers of one configuration. Replaced by a reload; the tokens last."""

    _log = Logger()

    def __init__(
        self,
        publishers: Collection[Publisher],
        keys: Mapping[str, IssuerKeys],
        *,
        audience: str,
        signatures: Signatures,
        tokens: Tokens,
        now: Callable[[], float],
    ) -> None:
        """``keys``: of each issuer that a publisher has; ``now``: seconds since 1970."""
        self.audience = audience
        self.publishers: Mapping[str, Publisher] = {each.name: each for each in publishers}
        self._keys = keys
        self._signatures = signatures
        self._tokens = tokens
        self._now = now

    async def mint(self, identity_token: str) -> Minted:
        """
        Return a token to upload what the publishers may for which the identity token is good.

        That is used up by it. Raises `TokenRefused`; `UpstreamUnavailable`
        where the issuer's keys cannot be had; what `Tokens.exchange` does.
        """
        given = self._signatures.look_at(identity_token)
        keys = self._keys.get(given.issuer)
        if keys is None:
            raise _refused(f"no publisher of this server has the issuer {shorten(given.issuer)}")
        claims = self._signatures.verify(identity_token, await self._key(keys, given.issuer, given.key_id))
        verified = check_claims(claims, issuer=given.issuer, audience=self.audience, now=self._now())
        publishers = self._publishers(given.issuer, claims)
        once = Once(issuer=verified.issuer, id=verified.id, until=verified.expires_at + LEEWAY)
        try:
            text, token = await self._tokens.exchange(once, _wish(publishers, claims))
        except UsedUp as e:
            self._log.warn("an identity token was used again: {claims}", claims=told(claims))
            raise TokenRefused("invalid-reuse-token", "invalid token: already used") from e
        self._log.info("{user} got the token {id}: {claims}", user=token.user, id=token.id, claims=token.description)
        return Minted(text=text, token=token)

    async def burn(self, text: str) -> None:
        """Have a token that `mint` returned work no more, if there is one that is written so."""
        await self._tokens.burn(text)

    async def _key(self, keys: IssuerKeys, issuer: str, key_id: str) -> Key:
        key = await keys.find(key_id)
        if key is None:
            raise _refused(f"{issuer} has no key {shorten(key_id)}")
        return key

    def _publishers(self, issuer: str, claims: Claims) -> list[Publisher]:
        """Return at least one, all of one index. Raises `TokenRefused`."""
        found = matching(self.publishers.values(), issuer, claims)
        if not found:
            self._log.info("no publisher matches {claims}", claims=told(claims))
            raise TokenRefused(
                "invalid-publisher", f"valid token, but no publisher of this server matches it: {told(claims)}"
            )
        indexes = sorted({each.index for each in found})
        if len(indexes) > 1:
            raise TokenRefused(
                "invalid-publisher",
                f"valid token, but it matches publishers of several indexes ({', '.join(indexes)}), "
                "and an upload token is for one: tell them apart by ref or environment",
            )
        return found


def _wish(publishers: Sequence[Publisher], claims: Claims) -> Wish:
    return Wish(
        user=user_of(publishers, claims),
        rights=frozenset({Right.UPLOAD}),
        index=publishers[0].index,
        projects=tuple(dict.fromkeys(pattern for each in publishers for pattern in each.projects)),
        description=told(claims)[:MAX_DESCRIPTION],
        publishers=tuple(publisher.name for publisher in publishers),
        lifetime=LIFETIME,
    )


def _refused(why: str) -> TokenRefused:
    return TokenRefused("invalid-token", f"the identity token is not accepted: {why}")
