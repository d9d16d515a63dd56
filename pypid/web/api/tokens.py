"""Who may make, see and revoke which API tokens."""

from __future__ import annotations

from twisted.logger import Logger

from pypid.domain.errors import AuthenticationRequired, CallMalformed, PermissionRefused
from pypid.domain.names import IndexName, shorten
from pypid.domain.rights import Identity
from pypid.domain.token_reports import MadeTokenReport, TokensReport, report_of
from pypid.indexes.tokens import Tokens
from pypid.web.access import Access
from pypid.web.api.token_calls import TokenCall, wish_of
from pypid.web.request import Request


class TokenDesk:
    """
    Users have their own tokens here; administrators of all indexes those of everybody.

    Not by way of a token: one that leaks must not leave others behind when it
    is revoked. All methods raise `PermissionRefused`, and what
    `Access.identify` does. ``identity``: who was admitted.
    """

    _log = Logger()

    def __init__(self, tokens: Tokens, access: Access) -> None:
        self._tokens = tokens
        self._access = access

    async def admit(self, request: Request) -> Identity:
        """Return who asks, if he has signed in without a token. Raises `PermissionRefused`."""
        identity = await self._access.identify(request)
        if identity.user is None:
            raise AuthenticationRequired("A user name and a password are needed")
        if identity.token is not None:
            raise PermissionRefused("A token can neither make, list nor revoke tokens: sign in with a password")
        return identity

    async def create(self, request: Request, identity: Identity, call: TokenCall) -> MadeTokenReport:
        """
        Return a new token.

        Raises `CallMalformed` for what a token cannot be, and what
        `Tokens.create` does.
        """
        user = await self._user_of(request, identity, call)
        if call.index is not None:
            _check_index(request, identity, call.index)
        text, token = await self._tokens.create(wish_of(call, user))
        self._note(request, identity, "made", token.id, f" of {user}")
        return MadeTokenReport(token=text, about=report_of(token))

    async def listed(self, request: Request, identity: Identity, *, everybody: bool) -> TokensReport:
        """Return the tokens of who asks, or all; the operator has none of his own, and is always shown all."""
        if everybody:
            await self._administer(request)
        user = None if everybody or identity.is_operator else identity.user
        kept = await self._tokens.listed(user)
        return TokensReport(tokens=tuple(report_of(each.token, each.last_used) for each in kept))

    async def revoke(self, request: Request, identity: Identity, token_id: str) -> None:
        """Have a token work no more. Raises what `Tokens.revoke` does."""
        await self._tokens.revoke(token_id, None if await self._administers(request) else identity.user)
        self._note(request, identity, "revoked", token_id)

    async def _user_of(self, request: Request, identity: Identity, call: TokenCall) -> str:
        if call.user is None and identity.is_operator:
            raise CallMalformed(["user: missing: nobody signs in here (--for NAME)."])
        user = call.user if call.user is not None else identity.user
        if user != identity.user:
            await self._administer(request)
        users = request.snapshot.authenticator.users
        if user is None or users is None or user not in users.hashes:
            raise CallMalformed([f"user: there is no user {shorten(user or '')}: make one with 'pypid user add'."])
        return user

    async def _administers(self, request: Request) -> bool:
        try:
            await self._administer(request)
        except PermissionRefused:
            return False
        return True

    async def _administer(self, request: Request) -> None:
        await self._access.administer_all(request)

    def _note(self, request: Request, identity: Identity, did: str, token_id: str, whose: str = "") -> None:
        # Not in the audit log, whose events are of projects.
        self._log.info(
            "{user} from {address} {did} the token {id}{whose}",
            user=identity.user,
            address=request.client_address,
            did=did,
            id=token_id,
            whose=whose,
        )


def _check_index(request: Request, identity: Identity, index: IndexName) -> None:
    """Raise `CallMalformed` alike for an index that is none, and for one that is a secret."""
    if index not in request.snapshot.visible_to(identity):
        raise CallMalformed([f"index: there is no index {shorten(index)}."])
