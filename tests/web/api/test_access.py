"""Who may call the management API."""

from __future__ import annotations

import json
from base64 import b64encode

from pypid.domain.throttle import REFILL
from tests.web.api.document import operations
from tests.web.api.world import DEMO, JSON, ApiTestCase
from tests.web.world import ALICE, WebTestCase

OPEN = {"/-/api/v1/", "/-/api/v1/openapi.json"}


def targets() -> list[tuple[str, str]]:
    """Return each call that there is."""
    values = {"index": "main", "project": "demo", "version": "1.0", "filename": "demo-1.0.tar.gz", "token_id": "0"}
    return sorted((method, path.format(**values)) for method, path in operations())


class SignInTests(ApiTestCase):
    def test_everything_but_the_description_needs_a_password(self) -> None:
        wrong = {"Authorization": "Basic " + b64encode(b"alice:wrong").decode()}
        for method, target in targets():
            for headers in ({}, wrong):
                self.clock.advance(REFILL)
                answer = self.ask(method, target, headers)
                self.assertEqual(answer.status, 200 if target in OPEN else 401, f"{method} {target}")
                if target not in OPEN:
                    self.assertIn("Basic", answer.headers["WWW-Authenticate"])
                    self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(len(self.files()), 3)

    def test_who_has_none_is_not_told_which_indexes_there_are(self) -> None:
        self.assertEqual(self.get("/-/api/v1/indexes/nowhere/projects/demo").status, 401)


class NoUsersTests(WebTestCase):
    users = None

    def test_nobody_may(self) -> None:
        for method, target in targets():
            self.assertEqual(self.ask(method, target, ALICE).status, 200 if target in OPEN else 403)


class ForeignPageTests(ApiTestCase):
    """What a page of another site has a browser send, with the password that the browser knows."""

    FOREIGN = (
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://pypid.test.evil.test"},
        {"Origin": "http://pypid.test:8080"},
        {"Origin": "http://[x"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://pypid.test"},
    )
    OWN = ({"Origin": "https://pypid.test"}, {"Sec-Fetch-Site": "same-origin", "Origin": "http://pypid.test"},
           {"Sec-Fetch-Site": "none"})  # fmt: skip

    def test_page_of_another_site_changes_nothing(self) -> None:
        for headers in self.FOREIGN:
            for method, target in targets():
                if method != "GET":
                    answer = self.ask(method, target, {**ALICE, **JSON, **headers})
                    self.assertEqual(answer.status, 403, f"{method} {target} {headers}")
                    self.assertIn("web page of another site", answer.reason)
        self.assertEqual(set(self.yanked().values()), {None})

    def test_page_of_this_site_does(self) -> None:
        for headers in self.OWN:
            self.assertEqual(self.call("PUT", f"{DEMO}/yank", {}, headers=headers).status, 200)

    def test_no_page_may_read(self) -> None:
        """Without a header that allows it, a browser gives no answer to a page of another site."""
        for target in ("/-/api/v1/audit", f"/-/api/v1/{DEMO}"):
            answer = self.get(target, {**ALICE, **self.FOREIGN[0]})
            self.assertNotIn("Access-Control-Allow-Origin", answer.headers)


class MethodTests(ApiTestCase):
    def test_head_is_get_without_a_body(self) -> None:
        for method, target in targets():
            if method == "GET":
                get, head = self.get(target, ALICE), self.ask("HEAD", target, ALICE)
                self.assertEqual((head.status, head.body), (get.status, b""))
                self.assertEqual(head.headers["Content-Length"], get.headers["Content-Length"])

    def test_other_methods_are_refused_and_told_which_are_not(self) -> None:
        allowed: dict[str, set[str]] = {}
        for method, target in targets():
            allowed.setdefault(target, set()).add(method)
        for target, methods in allowed.items():
            for method in {"GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"} - methods:
                answer = self.ask(method, target, ALICE)
                self.assertEqual(answer.status, 405, f"{method} {target}")
                self.assertEqual(set(answer.headers["Allow"].split(", ")) - {"HEAD"}, methods)
                self.assertNotIn("upload", answer.text)

    def test_what_is_nowhere(self) -> None:
        for target in ("/-/api", "/-/api/", "/-/api/v2/", "/-/api/v1/x", "/-/api/v1/indexes/main", "/-/api/v1/audit/"):
            answer = self.get(target, ALICE)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (404, "application/problem+json"), target)
            self.assertEqual(json.loads(answer.body)["detail"], "there is nothing here")

    def test_error_may_be_asked_for_as_text(self) -> None:
        answer = self.get("/-/api/v1/audit", {"Accept": "text/plain"})
        self.assertEqual((answer.status, answer.headers.get_content_type()), (401, "text/plain"))
