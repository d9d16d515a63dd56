"""The public keys of an issuer of identity tokens, fetched from it now and then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from pypid.domain.identity_tokens import Key, Signatures
from pypid.domain.names import shorten
from pypid.flight import SingleFlight, shield

FRESH = 3600.0
"""Seconds for which keys are taken at their word: what an issuer withdraws is refused an hour later."""

ASK_AGAIN = 60.0
"""Seconds until a key that is not there is asked for again: any stranger can name one that does not exist."""

RETRY = 5.0
"""Seconds until an issuer that did not answer is asked again."""

DISCOVERY = "/.well-known/openid-configuration"
"""Where an issuer says where its keys are (OpenID Connect Discovery 1.0, section 4)."""


class IssuerKeys(Protocol):
    """The keys of one issuer."""

    async def find(self, key_id: str) -> Key | None:
        """Return the key; None: the issuer has none of that id. Raises `UpstreamUnavailable` if nobody knows."""
        ...


class GivenKeys:
    """Keys from a file: never asked for."""

    def __init__(self, keys: Mapping[str, Key]) -> None:
        self._keys = keys

    async def find(self, key_id: str) -> Key | None:
        return self._keys.get(key_id)


class _Configuration(msgspec.Struct):
    issuer: str
    jwks_uri: str


class FetchedKeys:
    """
    Keys that are fetched when they are first needed, when they are old, and when one is missing.

    However many ask, the issuer is asked once, and then not for a while.
    """

    def __init__(
        self,
        issuer: str,
        jwks: str | None,
        *,
        fetch: Callable[[str], Awaitable[bytes]],
        signatures: Signatures,
        seconds: Callable[[], float],
    ) -> None:
        """
        ``jwks``: URL of the keys; None: the issuer says where they are.

        ``fetch``: returns what is at a URL, raises `UpstreamUnavailable`;
        ``seconds``: a clock that is never set back.
        """
        self._issuer = issuer
        self._jwks = jwks
        self._fetch = fetch
        self._signatures = signatures
        self._seconds = seconds
        self._keys: Mapping[str, Key] = {}
        self._fresh_until = 0.0
        self._ask_from = 0.0
        self._failure: UpstreamUnavailable | None = None
        self._flights: SingleFlight[None, None] = SingleFlight()

    async def find(self, key_id: str) -> Key | None:
        key = self._find(key_id)
        if key is None and (None in self._flights or self._seconds() >= self._ask_from):
            # Shielded: a client that asks and goes, again and again, would else have the issuer asked each time.
            await shield(self._flights.join(None, self._refresh))
            key = self._find(key_id)
        if key is None and self._failure is not None:
            raise UpstreamUnavailable(str(self._failure), retry_after=self._failure.retry_after)
        return key

    def _find(self, key_id: str) -> Key | None:
        return self._keys.get(key_id) if self._seconds() < self._fresh_until else None

    async def _refresh(self) -> None:
        try:
            keys = await self._fetched()
        except UpstreamUnavailable as e:
            self._failure, self._ask_from = e, self._seconds() + RETRY
        else:
            now = self._seconds()
            self._keys, self._failure = keys, None
            self._fresh_until, self._ask_from = now + FRESH, now + ASK_AGAIN

    async def _fetched(self) -> Mapping[str, Key]:
        url = self._jwks or await self._discovered()
        document = await self._fetch(url)
        try:
            return self._signatures.read_keys(document)
        except ValueError as e:
            raise UpstreamBroken(f"the keys of {self._issuer} cannot be read: {e}") from e

    async def _discovered(self) -> str:
        document = await self._fetch(self._issuer.rstrip("/") + DISCOVERY)
        try:
            found = msgspec.json.decode(document, type=_Configuration)
        except (msgspec.MsgspecError, RecursionError) as e:
            raise UpstreamBroken(f"what {self._issuer} says of itself cannot be read: {e}") from e
        if found.issuer != self._issuer:
            raise UpstreamBroken(f"{self._issuer} calls itself {shorten(found.issuer)}: its tokens do so too")
        if not found.jwks_uri.startswith("https://"):
            raise UpstreamBroken(f"{self._issuer} has its keys at {shorten(found.jwks_uri)}, which is not https")
        return found.jwks_uri
