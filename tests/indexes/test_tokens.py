"""E15: making, listing and revoking tokens."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.errors import TokenNotFound, TooManyTokens
from pypid.domain.names import IndexName
from pypid.domain.rights import Right
from pypid.domain.tokens import Token, Wish, is_token
from pypid.indexes.tokens import Tokens
from pypid.offload import inline
from pypid.storage.database import Database
from pypid.storage.tokens import TokenStore

NOW = 1_800_000_000.0
ALICE = Wish(user="alice", rights=frozenset({Right.UPLOAD}), lifetime=60)


class TokensCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = NOW
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        database = Database(
            Path(temporary.name) / "access.db", "access", durability="NORMAL", write=inline, read=inline
        )
        database.open()
        self.addCleanup(database.close)
        self.tokens = Tokens(TokenStore(database, lambda: self.now), now=lambda: self.now, most=3)

    def create(self, wish: Wish = ALICE) -> tuple[str, Token]:
        made: tuple[str, Token] = self.successResultOf(self.tokens.create(wish))
        return made


class TokensTests(TokensCase):
    def test_each_is_new_and_says_what_was_asked_for(self) -> None:
        wish = Wish(
            user="bob",
            rights=frozenset({Right.READ}),
            index=IndexName("main"),
            projects=("demo",),
            description="for CI",
            lifetime=None,
        )
        (text, token), (other, another) = self.create(wish), self.create(wish)
        self.assertEqual(
            token,
            Token(
                id=token.id,
                user="bob",
                rights=frozenset({Right.READ}),
                index=IndexName("main"),
                projects=("demo",),
                description="for CI",
                created_at=NOW,
            ),
        )
        self.assertTrue(is_token(text))
        self.assertEqual(self.tokens.find(text), token)
        self.assertEqual(len({text, other, token.id, another.id}), 4)

    def test_lifetime(self) -> None:
        text, token = self.create()
        self.assertEqual(token.expires_at, NOW + 60)
        self.now += 60
        self.assertIsNone(self.tokens.find(text))

    def test_nobody_revokes_what_is_not_his(self) -> None:
        """And he learns nothing about whether there is one."""
        text, token = self.create()
        strange = str(self.failureResultOf(self.tokens.revoke(token.id, "bob"), TokenNotFound).value)
        unknown = str(self.failureResultOf(self.tokens.revoke("0" * 12, "bob"), TokenNotFound).value)
        self.assertEqual(strange.replace(token.id, ""), unknown.replace("0" * 12, ""))
        self.assertEqual(self.tokens.find(text), token)
        self.successResultOf(self.tokens.revoke(token.id, "alice"))
        self.assertIsNone(self.tokens.find(text))
        self.failureResultOf(self.tokens.revoke(token.id, "alice"), TokenNotFound)

    def test_whoever_may_everything_revokes_any(self) -> None:
        text, token = self.create()
        self.successResultOf(self.tokens.revoke(token.id, None))
        self.assertIsNone(self.tokens.find(text))

    def test_list(self) -> None:
        _, first = self.create()
        self.now += 1
        _, second = self.create(Wish(user="bob", rights=frozenset({Right.READ})))
        listed = self.successResultOf(self.tokens.listed(None))
        self.assertEqual([each.token for each in listed], [first, second])
        self.assertEqual([each.token for each in self.successResultOf(self.tokens.listed("bob"))], [second])

    def test_one_user_cannot_fill_the_memory(self) -> None:
        for _ in range(3):
            self.create()
        self.failureResultOf(self.tokens.create(ALICE), TooManyTokens)
        self.create(Wish(user="bob", rights=frozenset({Right.READ})))

    def test_a_user_s_token_cannot_be_burned(self) -> None:
        text, token = self.create()
        self.successResultOf(self.tokens.burn(text))
        self.assertEqual(self.tokens.find(text), token)
