"""What a token lets its holder do, wherever a client puts it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

from pypid.domain.htpasswd import parse_htpasswd
from pypid.domain.rights import Right
from pypid.domain.tokens import Wish
from tests.kit.dists import wheel
from tests.upstream.network import start
from tests.web.test_access import CAROL, AccessTestCase
from tests.web.world import OWN, Answer


class TokenTests(AccessTestCase):
    def made(self, user: str = "carol", *rights: Right, **values: object) -> str:
        wish = Wish(user=user, rights=frozenset(rights or (Right.UPLOAD,)), **values)  # type: ignore[arg-type]
        text, token = self.successResultOf(start(self.tokens.create(wish)))
        self.made_id = token.id
        return text

    def read(self, header: str, project: str = "acme-one") -> Answer:
        return self.get(f"/own/simple/{project}/", {"Authorization": header})

    def bring(self, token: str, project: str) -> Answer:
        return self.upload_of(wheel(project, "9.0"), "/own/", bearer(token))

    def test_it_is_known_in_every_place(self) -> None:
        token = self.made()
        for header in (f"Bearer {token}", basic("__token__", token), basic("whoever", token), basic(token, "")):
            self.assertEqual(self.read(header).status, 200, header)

    def test_mistyped_one_is_a_401_and_costs_no_check_of_a_password(self) -> None:
        token = self.made()
        for header in (f"Bearer {token[:-1]}", basic("__token__", f"{token}x"), "Bearer pypid-x"):
            answer = self.read(header)
            self.assertEqual((answer.status, "Invalid token" in answer.reason), (401, True))

    def test_it_allows_what_it_was_made_for(self) -> None:
        token = self.made(projects=("acme-one",), index=OWN)
        self.assertEqual(self.bring(token, "acme-one").status, 200)
        refused = self.bring(token, "acme-other")
        self.assertEqual((refused.status, self.staged()), (403, []))
        self.assertIn("may not", refused.reason)
        self.assertEqual(self.read(f"Bearer {token}", "acme-other").status, 403)

    def test_it_allows_no_more_than_its_user_may(self) -> None:
        token = self.made("bob", Right.ADMIN)
        self.assertEqual(self.read(f"Bearer {token}").status, 200)
        self.assertEqual(self.read(f"Bearer {token}", "acme-other").status, 403)
        self.assertEqual(self.bring(token, "acme-one").status, 403)

    def test_revoked_and_expired_ones_and_those_of_users_who_are_gone(self) -> None:
        revoked = self.made()
        self.successResultOf(start(self.tokens.revoke(self.made_id, None)))
        self.assertEqual(self.read(f"Bearer {revoked}").status, 401)
        expired = self.made(lifetime=60.0)
        self.assertEqual(self.read(f"Bearer {expired}").status, 200)
        self.clock.advance(60)
        self.assertEqual(self.read(f"Bearer {expired}").status, 401)
        orphaned = self.made()
        authenticator = self.current.value.authenticator
        authenticator.users = parse_htpasswd("dave:$2b$04$" + "a" * 53)
        self.assertEqual(self.read(f"Bearer {orphaned}").status, 401)

    def test_lists_have_what_it_is_for(self) -> None:
        token = self.made(projects=("acme-one",))
        listed = self.get("/own/simple/", {"Authorization": f"Bearer {token}"})
        self.assertEqual(("acme-one" in listed.text, "acme-other" in listed.text), (True, False))
        self.assertIn("acme-other", self.get("/own/simple/", CAROL).text)

    def test_publishers_token_without_the_publisher_is_nothing(self) -> None:
        token = self.made("publisher:app", publishers=("app",), index=OWN, projects=("acme-*",))
        self.assertEqual(self.bring(token, "acme-one").status, 403)
        self.current.value = replace(self.current.value, publishing=None)
        self.assertEqual(self.read(f"Bearer {token}").status, 403)


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
