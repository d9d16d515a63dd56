"""The site of the control socket, in memory: who connects is said by the test."""

from __future__ import annotations

import json
from typing import Any

from pypid.web.control import ControlRoutes, ControlSite
from tests.web.world import HEADER_TIMEOUT, IDLE_TIMEOUT, WebTestCase


class ControlTests(WebTestCase):
    users = None
    peer = 1000

    def new_site(self) -> Any:
        site = ControlSite(
            ControlRoutes(self.api().app.resource()).app.resource(),
            self.current,
            reactor=self.clock,
            header_timeout=HEADER_TIMEOUT,
            idle_timeout=IDLE_TIMEOUT,
            uid_of=lambda _: self.peer,
        )
        site.users = {1000: "pypid", 0: "root"}
        return site

    def test_users_of_the_machine_need_no_password(self) -> None:
        """Not even while there are no others."""
        for uid in (1000, 0):
            self.peer = uid
            self.assertEqual(self.get("/-/api/v1/audit").status, 200)

    def test_nobody_else_may(self) -> None:
        self.peer = 1001
        answer = self.get("/-/api/v1/audit", {"Authorization": "Basic cHlwaWQ6eA=="})
        self.assertEqual(answer.status, 403)
        self.assertIn(
            "Only pypid or root may do this here, and you are the user 1001", json.loads(answer.body)["detail"]
        )

    def test_who_it_was_is_in_the_audit_log(self) -> None:
        path = "/-/api/v1/indexes/root/pypi/projects/demo/block"
        self.assertEqual(self.ask("PUT", path).status, 200)
        (event,) = self.audit.after(0, 9)
        self.assertEqual(event.user, "local:pypid")

    def test_nothing_but_the_api_is_there(self) -> None:
        self.assertEqual(self.get("/-/health").text, "ok\n")
        for target in ("/", "/simple/", "/root/pypi/simple/demo/", "/main/", "/-/"):
            self.assertEqual(self.get(target).status, 404, target)
        self.assertEqual(self.ask("POST", "/", body=b"x").status, 404)
        self.assertEqual(self.ask("POST", "/-/health").status, 405)
