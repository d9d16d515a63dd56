"""E15: API tokens through the management API: who may make, see and revoke which."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import bcrypt
from twisted.logger import capturedLogs, formatEvent

from pypid.domain.htpasswd import parse_htpasswd
from pypid.domain.rights import ANONYMOUS, Grant, Right, Rights
from pypid.domain.tokens import Token, Wish, is_token
from pypid.indexes.tokens import Tokens
from pypid.storage.tokens import TokenStore
from pypid.web.control import ControlRoutes, ControlSite
from pypid.web.snapshot import Snapshot
from tests.upstream.network import start
from tests.web.api.document import check_answer, check_call
from tests.web.api.world import JSON
from tests.web.world import ALICE, HEADER_TIMEOUT, IDLE_TIMEOUT, MAIN, TWO, WebTestCase

BOB = {"Authorization": "Basic " + b64encode(b"bob:secret").decode()}
EVERYTHING = Rights(grants={Right.READ: [Grant(ANONYMOUS)], Right.ADMIN: [Grant("alice")]})
SECRET = Rights(grants={Right.ADMIN: [Grant("alice")]})
WANTED: Mapping[str, object] = {"rights": ["upload"]}
MOST = 3


class TokensTestCase(WebTestCase):
    """alice may do everything; bob has no rights, and cannot see one of the indexes."""

    users = parse_htpasswd(
        "".join(f"{name}:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}\n" for name in ("alice", "bob"))
    )
    rights = EVERYTHING
    who: Mapping[str, str] = BOB

    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(86400)

    @cached_property
    def tokens(self) -> Tokens:
        store = TokenStore(self.database("access"), self.clock.seconds)
        return Tokens(store, now=self.clock.seconds, most=MOST)

    def snapshot(self) -> Snapshot:
        made = super().snapshot()
        return replace(made, rights={**made.rights, TWO: SECRET})

    def call(
        self, method: str, path: str, body: object = None, *, who: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Make a call, and return the status of the answer and what it says."""
        target = f"/-/api/v1/{path}"
        content = b"" if body is None else json.dumps(body).encode()
        typed = {} if body is None else JSON
        answer = self.ask(method, target, {**(self.who if who is None else who), **typed}, content)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        check_answer(method, target, answer.status, answer.headers["Content-Type"], answer.body)
        said = json.loads(answer.body)
        return answer.status, said if answer.status == 200 else said["detail"]

    def make(self, body: object = WANTED, *, who: Mapping[str, str] | None = None) -> tuple[str, Any]:
        """Return a new token, and what is told of it."""
        check_call("POST", "/-/api/v1/tokens", json.dumps(body).encode())
        status, said = self.call("POST", "tokens", body, who=who)
        self.assertEqual(status, 200, said)
        # Lists are by age.
        self.clock.advance(1)
        return said["token"], said["about"]

    def listed(self, query: str = "", *, who: Mapping[str, str] | None = None) -> list[Any]:
        status, said = self.call("GET", f"tokens{query}", who=who)
        self.assertEqual(status, 200, said)
        tokens: list[Any] = said["tokens"]
        return tokens


class OwnTests(TokensTestCase):
    def test_token_is_what_was_asked_for(self) -> None:
        wanted = {
            "rights": ["read", "upload"],
            "index": "main",
            "projects": ["Acme_*", "acme-*"],
            "description": "nightly",
            "lifetime": 3600,
        }
        text, about = self.make(wanted)
        self.assertTrue(is_token(text))
        told = {**wanted, "user": "bob", "projects": ["acme-*"], "last_used": None}
        told |= {"created_at": "1970-01-02T00:00:00Z", "expires_at": "1970-01-02T01:00:00Z", "id": about["id"]}
        del told["lifetime"]
        self.assertEqual(about, told)
        found = self.tokens.find(text)
        assert found is not None
        self.assertEqual((found.id, found.user, found.rights), (about["id"], "bob", {Right.READ, Right.UPLOAD}))

    def test_token_lasts_ninety_days_or_for_ever(self) -> None:
        self.assertEqual(self.make()[1]["expires_at"], "1970-04-02T00:00:00Z")
        self.assertIsNone(self.make({**WANTED, "lifetime": None})[1]["expires_at"])

    def test_everybody_sees_his_own_alone(self) -> None:
        _, first = self.make()
        _, second = self.make()
        self.make(who=ALICE)
        self.assertEqual(self.listed(), [first, second])
        self.assertEqual(self.listed("?all=false"), [first, second])

    def test_last_use_is_told(self) -> None:
        text, _ = self.make()
        self.tokens.find(text)
        self.assertEqual(self.listed()[0]["last_used"], "1970-01-02T00:00:01Z")

    def test_revoked_token_is_none_any_more(self) -> None:
        text, about = self.make()
        self.assertEqual(self.call("DELETE", f"tokens/{about['id']}"), (200, {}))
        self.assertIsNone(self.tokens.find(text))
        self.assertEqual(self.listed(), [])
        self.assertEqual(self.call("DELETE", f"tokens/{about['id']}")[0], 404)

    def test_nobody_has_more_than_the_most(self) -> None:
        for _ in range(MOST):
            self.make()
        status, why = self.call("POST", "tokens", WANTED)
        self.assertEqual((status, why), (409, f"bob has {MOST} tokens, and nobody can have more: revoke some"))

    def test_log_says_who_did_it_and_has_no_token(self) -> None:
        with capturedLogs() as events:
            text, about = self.make({**WANTED, "description": "a canary"})
            self.call("DELETE", f"tokens/{about['id']}")
        said = [formatEvent(event) for event in events]
        self.assertIn(f"bob from 127.0.0.1 made the token {about['id']} of bob", said)
        self.assertIn(f"bob from 127.0.0.1 revoked the token {about['id']}", said)
        for line in said:
            self.assertNotIn(text, line or "")


class OthersTests(TokensTestCase):
    def test_administrator_makes_tokens_for_others(self) -> None:
        text, about = self.make({**WANTED, "user": "bob"}, who=ALICE)
        self.assertEqual(about["user"], "bob")
        self.assertEqual(self.listed(), [about])
        self.assertEqual(self.listed(who=ALICE), [])
        self.assertEqual(self.listed("?all=true", who=ALICE), [about])
        self.assertEqual(self.call("DELETE", f"tokens/{about['id']}", who=ALICE)[0], 200)
        self.assertIsNone(self.tokens.find(text))

    def test_nobody_else_does(self) -> None:
        _, about = self.make(who=ALICE)
        for body in ({**WANTED, "user": "alice"}, {**WANTED, "user": "nobody"}):
            status, why = self.call("POST", "tokens", body)
            self.assertEqual((status, "does not administer" in why), (403, True))
        self.assertEqual(self.call("GET", "tokens?all=true")[0], 403)
        strange = self.call("DELETE", f"tokens/{about['id']}")
        unknown = self.call("DELETE", "tokens/000000000000")
        self.assertEqual((strange[0], strange[1].replace(about["id"], "000000000000")), unknown)
        self.assertEqual(self.listed(who=ALICE), [about])

    def test_who_may_administer_some_index_is_no_administrator_of_tokens(self) -> None:
        rights = {**self.current.value.rights, MAIN: Rights(grants={Right.ADMIN: [Grant("alice"), Grant("bob")]})}
        self.current.value = replace(self.current.value, rights=rights)
        self.assertEqual(self.call("GET", "tokens?all=true")[0], 403)

    def test_token_of_a_publisher_is_listed_and_revoked_by_administrators(self) -> None:
        wish = Wish(user="publisher:app (acme/app)", rights=frozenset({Right.UPLOAD}), publishers=("app",))
        made: tuple[str, Token] = self.successResultOf(start(self.tokens.create(wish)))
        (about,) = self.listed("?all=true", who=ALICE)
        self.assertEqual(about["user"], wish.user)
        self.assertEqual(self.call("DELETE", f"tokens/{about['id']}")[0], 404)
        self.assertEqual(self.call("DELETE", f"tokens/{about['id']}", who=ALICE)[0], 200)
        self.assertIsNone(self.tokens.find(made[0]))


class RefusedTests(TokensTestCase):
    def test_token_can_do_nothing_about_tokens(self) -> None:
        """Whatever its user may do: what leaks must not leave others behind when it is revoked."""
        text, about = self.make({"rights": ["admin"]}, who=ALICE)
        bearer = {"Authorization": f"Bearer {text}"}
        for method, path, body in (
            ("POST", "tokens", WANTED),
            ("GET", "tokens", None),
            ("GET", "tokens?all=true", None),
            ("DELETE", f"tokens/{about['id']}", None),
        ):
            status, why = self.call(method, path, body, who=bearer)
            self.assertEqual((status, "A token can neither make" in why), (403, True), f"{method} {path}: {why}")
        self.assertEqual(self.listed("?all=true", who=ALICE)[0]["id"], about["id"])

    def test_calls_that_make_no_sense(self) -> None:
        for changed, said in (
            ({"rights": []}, "rights: "),
            ({"rights": ["write"]}, "rights: "),
            ({"lifetime": 0}, "lifetime: "),
            ({"lifetime": -1}, "lifetime: "),
            ({"lifetime": 1e99}, "lifetime: "),
            ({"projects": "a"}, "projects: "),
            ({"projects": ["a"] * 101}, "projects: "),
            ({"projects": ["a b"]}, "projects: the project pattern 'a b': "),
            ({"projects": [""]}, "projects: "),
            ({"user": 7}, "user: "),
            ({"description": "x" * 201}, "description: "),
            ({"description": "\x1b[31m"}, "description: "),
            ({"index": 7}, "index: "),
            ({"scope": "all"}, "'scope': no such field"),
        ):
            status, why = self.call("POST", "tokens", {**WANTED, **changed})
            self.assertEqual((status, said in why), (400, True), why)
        self.assertEqual(self.call("POST", "tokens", {}), (400, "rights: missing."))
        self.assertEqual(self.call("GET", "tokens?all=perhaps")[0], 400)
        self.assertEqual(self.call("DELETE", "tokens/x?all=true")[0], 400)
        self.assertEqual(self.listed(), [])

    def test_index_that_is_none_and_one_that_is_a_secret_are_refused_alike(self) -> None:
        for name in ("nowhere", TWO):
            said = self.call("POST", "tokens", {**WANTED, "index": name})
            self.assertEqual(said, (400, f"index: there is no index {name!r}."))
        self.make({**WANTED, "index": TWO}, who=ALICE)

    def test_user_there_is_none_of(self) -> None:
        for user in ("carol", "", "publisher:app", "local:root"):
            status, why = self.call("POST", "tokens", {**WANTED, "user": user}, who=ALICE)
            self.assertEqual((status, f"there is no user {user!r}" in why), (400, True), why)


class OperatorTests(TokensTestCase):
    """Over the control socket, where nobody signs in."""

    who: Mapping[str, str] = {}

    def new_site(self) -> Any:
        site = ControlSite(
            ControlRoutes(self.api().app.resource()).app.resource(),
            self.current,
            reactor=self.clock,
            header_timeout=HEADER_TIMEOUT,
            idle_timeout=IDLE_TIMEOUT,
            uid_of=lambda _: 0,
        )
        site.users = {0: "root"}
        return site

    def test_operator_says_for_whom(self) -> None:
        status, why = self.call("POST", "tokens", WANTED)
        self.assertEqual((status, "user: missing" in why), (400, True), why)
        for user in ("carol", "local:root"):
            self.assertEqual(self.call("POST", "tokens", {**WANTED, "user": user})[0], 400)
        _, about = self.make({**WANTED, "user": "bob", "index": TWO})
        self.assertEqual((about["user"], about["index"]), ("bob", TWO))

    def test_operator_sees_and_revokes_all(self) -> None:
        made = [self.make({**WANTED, "user": user})[1] for user in ("alice", "bob")]
        self.assertEqual(self.listed(), made)
        self.assertEqual(self.listed("?all=true"), made)
        for about in made:
            self.assertEqual(self.call("DELETE", f"tokens/{about['id']}")[0], 200)
        self.assertEqual(self.listed(), [])
        self.assertEqual(self.call("DELETE", "tokens/000000000000"), (404, "there is no token '000000000000'"))

    def test_without_users_there_is_nobody_to_make_one_for(self) -> None:
        snapshot = self.current.value
        authenticator = snapshot.authenticator
        authenticator.users = None
        self.assertEqual(self.call("POST", "tokens", {**WANTED, "user": "bob"})[0], 400)
