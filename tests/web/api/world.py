"""Calls of the management API, each of whose answers is held to the OpenAPI file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.kit.dists import Dist, sdist, wheel
from tests.web.api.document import check_answer, check_call
from tests.web.world import ALICE, Answer, WebTestCase

JSON = {"Content-Type": "application/json"}
DEMO = "indexes/main/projects/demo"
"""What the tests are about, most of the time."""


def path_of(dist: Dist, index: str = "main") -> str:
    return f"indexes/{index}/projects/{dist.project}/files/{dist.filename}"


class ApiTestCase(WebTestCase):
    """Two releases of a project; the first has two files."""

    def setUp(self) -> None:
        super().setUp()
        self.wheel, self.sdist = wheel("demo", "1.0", requires_python=">=3.8"), sdist("demo", "1.0")
        self.newer = wheel("demo", "2.0")
        for dist in (self.wheel, self.sdist, self.newer):
            self.publish(dist)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        content: bytes | None = None,
    ) -> Answer:
        """Make one call as alice; ``content`` is a body that need not be JSON, nor as it should be."""
        target = f"/-/api/v1/{path}"
        if body is not None:
            content = json.dumps(body).encode()
            check_call(method, target, content)
        typed = {} if content is None else JSON
        answer = self.ask(method, target, {**ALICE, **typed, **(headers or {})}, content or b"")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        check_answer(method, target, answer.status, answer.headers["Content-Type"], answer.body)
        return answer

    def told(self, method: str, path: str, body: object = None) -> Any:
        """Make a call that is answered as it should be, and return what."""
        answer = self.call(method, path, body)
        self.assertEqual(answer.status, 200, answer.text)
        return json.loads(answer.body)

    def refused(self, status: int, method: str, path: str, body: object = None, **kwargs: Any) -> str:
        """Make a call that is not, and return why."""
        answer = self.call(method, path, body, **kwargs)
        self.assertEqual(answer.status, status, answer.text)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        why: str = json.loads(answer.body)["detail"]
        return why

    def files(self, path: str = DEMO) -> dict[str, Any]:
        """Return the files that the API knows of the project, by name."""
        releases = self.told("GET", path)["releases"]
        return {file["filename"]: file for release in releases for file in release["files"]}

    def yanked(self) -> dict[str, str | None]:
        return {filename: file["yanked"] for filename, file in self.files().items()}
