"""E15, P10: tokens on the disk and in memory."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred

from pypid.domain.names import IndexName
from pypid.domain.rights import Right
from pypid.domain.tokens import Token, digest_of, make_token
from pypid.offload import inline
from pypid.storage.database import Database
from pypid.storage.tokens import KEPT_EXPIRED, KeptToken, Once, TokenStore, TooMany, UsedUp
from tests.storage.case import ManualOffload, StorageCase

NOW = 1_800_000_000.0
ONCE = Once(issuer="https://issuer.test", id="1", until=NOW + 300)


def text_of(number: int) -> str:
    return make_token(number.to_bytes)


def token(number: int = 1, **changed: Any) -> Token:
    usual = Token(id=f"t{number}", user="alice", rights=frozenset({Right.UPLOAD}), created_at=NOW + number)
    return replace(usual, **changed)


class TokenStoreCase(StorageCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = NOW
        self.store = self.restarted()

    def restarted(self, write: Any = inline) -> TokenStore:
        """Return the store as it is after a start."""
        self.database = Database(self.directory / "access.db", "access", durability="FULL", write=write, read=inline)
        self.database.open()
        self.addCleanup(self.database.close)
        store = TokenStore(self.database, lambda: self.now)
        self.result(store.load())
        return store

    def add(self, number: int = 1, once: Once | None = None, most: int | None = None, **changed: Any) -> Token:
        added = token(number, **changed)
        self.result(self.store.add(text_of(number), added, once=once, most=most))
        return added

    def rows(self, question: str) -> list[Any]:
        return self.result(self.database.read(lambda connection: connection.execute(question).fetchall()))


class KeepingTests(TokenStoreCase):
    def test_what_is_kept_is_found_at_once_and_after_a_restart(self) -> None:
        full = self.add(
            2,
            rights=frozenset({Right.READ, Right.DELETE}),
            index=IndexName("root/dev"),
            projects=("acme-*", "demo"),
            description="of \u00e9, with 'quotes'",
            publishers=("app", "lib"),
            expires_at=NOW + 60,
        )
        plain = self.add(3)
        for store in (self.store, self.restarted()):
            self.assertEqual(store.find(text_of(2)), full)
            self.assertEqual(store.find(text_of(3)), plain)
            self.assertIsNone(store.find(text_of(4)))

    def test_token_itself_is_nowhere_on_the_disk(self) -> None:
        self.add()
        self.database.close()
        kept = b"".join(path.read_bytes() for path in self.directory.iterdir())
        self.assertNotIn(text_of(1).encode(), kept)
        self.assertIn(digest_of(text_of(1)).encode(), kept)

    def test_digest_is_no_token(self) -> None:
        """Who reads a backup cannot sign in with what is in it."""
        self.add()
        self.assertIsNone(self.store.find(digest_of(text_of(1))))

    def test_lookup_touches_no_disk(self) -> None:
        self.add()
        self.database.close()
        self.assertIsNotNone(self.store.find(text_of(1)))
        self.assertIsNone(self.store.find(text_of(2)))

    def test_expiry(self) -> None:
        self.add(expires_at=NOW + 60)
        self.now += 59.9
        self.assertIsNotNone(self.store.find(text_of(1)))
        self.now += 0.1
        self.assertIsNone(self.store.find(text_of(1)))
        self.assertIsNone(self.restarted().find(text_of(1)))

    def test_nothing_works_before_it_is_durable(self) -> None:
        writer = ManualOffload()
        store = self.restarted(writer)
        adding = Deferred.fromCoroutine(store.add(text_of(1), token()))
        self.assertIsNone(store.find(text_of(1)))
        writer.run()
        self.successResultOf(adding)
        self.assertIsNotNone(store.find(text_of(1)))

    def test_no_more_than_so_many(self) -> None:
        self.add(1, most=2)
        self.add(2, most=2, expires_at=NOW + 60)
        self.failureResultOf(self.store.add(text_of(3), token(3), most=2), TooMany)
        self.add(4, most=2, user="bob")
        self.now += 60
        self.add(5, most=2)


class RevokingTests(TokenStoreCase):
    def test_revoked_is_gone_for_good(self) -> None:
        self.add(1)
        self.add(2)
        self.assertTrue(self.result(self.store.revoke("t1")))
        self.assertFalse(self.result(self.store.revoke("t1")))
        for store in (self.store, self.restarted()):
            self.assertIsNone(store.find(text_of(1)))
            self.assertIsNotNone(store.find(text_of(2)))

    def test_it_works_no_more_before_the_disk_knows(self) -> None:
        """Whoever revokes a stolen token does not wait for a slow disk, and not for a full one."""
        self.add()
        writer = ManualOffload()
        store = self.restarted(writer)
        revoking = Deferred.fromCoroutine(store.revoke("t1"))
        self.assertIsNone(store.find(text_of(1)))
        writer.run()
        self.assertTrue(self.successResultOf(revoking))

    def test_failed_revocation_is_told_and_can_be_tried_again(self) -> None:
        self.add()
        other = sqlite3.connect(self.directory / "access.db", isolation_level=None)
        self.addCleanup(other.close)
        other.execute("CREATE TRIGGER full BEFORE DELETE ON token BEGIN SELECT RAISE(ABORT, 'full'); END")
        self.failureResultOf(self.store.revoke("t1"), sqlite3.DatabaseError)
        self.assertIsNone(self.store.find(text_of(1)))
        self.assertEqual([each.token.id for each in self.result(self.store.listed())], ["t1"])
        other.execute("DROP TRIGGER full")
        self.assertTrue(self.result(self.store.revoke("t1")))


class ExchangeTests(TokenStoreCase):
    def test_identity_token_is_exchanged_once(self) -> None:
        self.add(1, once=ONCE)
        for store in (self.store, self.restarted()):
            self.failureResultOf(store.add(text_of(2), token(2), once=ONCE), UsedUp)
            self.assertIsNone(store.find(text_of(2)))
        self.assertEqual(self.rows("SELECT id FROM token"), [("t1",)])

    def test_same_id_of_another_issuer_is_another(self) -> None:
        self.add(1, once=ONCE)
        self.add(2, once=replace(ONCE, issuer="https://other.test"))
        self.add(3, once=replace(ONCE, id="2"))

    def test_exchange_that_fails_uses_nothing_up(self) -> None:
        self.add(1)
        self.failureResultOf(self.store.add(text_of(2), token(1), once=ONCE), sqlite3.IntegrityError)
        self.add(3, once=ONCE)

    def test_forgotten_when_nobody_takes_it_any_more(self) -> None:
        self.add(1, once=ONCE)
        self.now = ONCE.until
        self.result(self.store.tidy())
        self.failureResultOf(self.store.add(text_of(2), token(2), once=ONCE), UsedUp)
        self.now += 1
        self.result(self.store.tidy())
        self.assertEqual(self.rows("SELECT * FROM used_up"), [])


class TidyTests(TokenStoreCase):
    def last_used(self, store: TokenStore) -> dict[str, float | None]:
        return {each.token.id: each.last_used for each in self.result(store.listed())}

    def test_last_use_is_known_at_once_and_kept_when_tidied(self) -> None:
        self.add(1)
        self.add(2)
        self.now += 10
        self.store.find(text_of(1))
        self.now += 10
        self.store.find(text_of(1))
        used = {"t1": NOW + 20, "t2": None}
        self.assertEqual(self.last_used(self.store), used)
        self.assertEqual(self.rows("SELECT last_used FROM token WHERE last_used IS NOT NULL"), [])
        self.result(self.store.tidy())
        self.assertEqual(self.last_used(self.store), used)
        self.assertEqual(self.last_used(self.restarted()), used)

    def test_use_is_not_forgotten_when_it_could_not_be_written(self) -> None:
        self.add(1)
        self.store.find(text_of(1))
        other = sqlite3.connect(self.directory / "access.db", isolation_level=None)
        self.addCleanup(other.close)
        other.execute("CREATE TRIGGER full BEFORE UPDATE ON token BEGIN SELECT RAISE(ABORT, 'full'); END")
        self.failureResultOf(self.store.tidy(), sqlite3.DatabaseError)
        other.execute("DROP TRIGGER full")
        self.result(self.store.tidy())
        self.assertEqual(self.last_used(self.restarted()), {"t1": NOW})

    def test_expired_are_listed_for_a_month(self) -> None:
        expiring, lasting = self.add(1, expires_at=NOW + 60), self.add(2, user="bob")
        kept = [KeptToken(token=each, last_used=None) for each in (expiring, lasting)]
        self.now = NOW + 60 + KEPT_EXPIRED
        self.result(self.store.tidy())
        self.assertEqual(self.result(self.store.listed()), kept)
        self.assertEqual(self.result(self.store.listed("bob")), kept[1:])
        self.assertEqual(self.result(self.store.listed("carol")), [])
        self.now += 1
        self.result(self.store.tidy())
        self.assertEqual(self.result(self.store.listed()), kept[1:])

    def test_memory_holds_no_expired_ones(self) -> None:
        """A server that mints tokens all day long does not grow."""
        for number in range(1, 50):
            self.add(number, expires_at=NOW + number)
        self.now = NOW + 40
        self.result(self.store.tidy())
        self.assertEqual((len(self.store._tokens), len(self.store._digests)), (9, 9))
