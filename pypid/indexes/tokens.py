"""Making, listing and revoking API tokens."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from pypid.domain.errors import TokenNotFound, TooManyTokens
from pypid.domain.tokens import Token, Wish, make_token
from pypid.storage.tokens import KeptToken, Once, TokenStore, TooMany

MOST = 1000
"""Valid tokens of one user: one for each of hundreds of jobs; they are all held in memory."""

ID = 6
"""Random bytes of an id: of a million tokens no two get the same."""


class Tokens:
    """The tokens that users make for themselves, and those that are made for trusted publishers."""

    def __init__(
        self,
        store: TokenStore,
        *,
        now: Callable[[], float],
        random: Callable[[int], bytes] = secrets.token_bytes,
        most: int = MOST,
    ) -> None:
        """
        ``now``: seconds since 1970; ``random``: returns so many bytes that
        nobody can foresee; ``most``: valid tokens of one user.
        """
        self._store = store
        self._now = now
        self._random = random
        self._most = most

    def find(self, text: str) -> Token | None:
        """Return the valid token that is written so; no disk is touched."""
        return self._store.find(text)

    async def create(self, wish: Wish) -> tuple[str, Token]:
        """
        Return a new token, how it is written first: nobody can find that out again.

        Raises `TooManyTokens`, and what `TokenStore.add` does.
        """
        text, token = self._made(wish)
        try:
            await self._store.add(text, token, most=self._most)
        except TooMany as e:
            raise TooManyTokens(f"{wish.user} has {self._most} tokens, and nobody can have more: revoke some") from e
        return text, token

    async def exchange(self, once: Once, wish: Wish) -> tuple[str, Token]:
        """Return a new token in exchange for ``once``. Raises what `TokenStore.add` does."""
        text, token = self._made(wish)
        await self._store.add(text, token, once=once)
        return text, token

    async def listed(self, user: str | None) -> list[KeptToken]:
        """Return the tokens of ``user``, None being everybody: the oldest first, those that expired lately too."""
        return await self._store.listed(user)

    async def revoke(self, token_id: str, user: str | None) -> None:
        """
        Have the token work no more, from now on.

        ``user``: whose it must be; None: anybody's. Raises `TokenNotFound`,
        the same for a token of somebody else.
        """
        is_known = user is None or any(each.token.id == token_id for each in await self._store.listed(user))
        if not is_known or not await self._store.revoke(token_id):
            raise TokenNotFound(f"there is no token {token_id!r}")

    async def burn(self, text: str) -> None:
        """Have the token that is written so work no more, if there is one that was made for a publisher."""
        token = self._store.find(text)
        if token is not None and token.publishers:
            await self._store.revoke(token.id)

    def _made(self, wish: Wish) -> tuple[str, Token]:
        now = self._now()
        token = Token(
            id=self._random(ID).hex(),
            user=wish.user,
            rights=wish.rights,
            index=wish.index,
            projects=wish.projects,
            description=wish.description,
            publishers=wish.publishers,
            created_at=now,
            expires_at=None if wish.lifetime is None else now + wish.lifetime,
        )
        return make_token(self._random), token
