"""What the management API tells of projects."""

from __future__ import annotations

from pypid.domain.retention import Retention
from tests.web.api.world import DEMO, ApiTestCase
from tests.web.world import MAIN


class RootTests(ApiTestCase):
    def test_indexes_are_listed_for_everybody(self) -> None:
        for target in ("/-/api/v1/", "/-/api/v1"):
            told = self.get(target)
            self.assertEqual(told.body, self.get("/-/api/v1/").body)
        root = self.told("GET", "")
        self.assertEqual((root["default_index"], root["openapi"]), ("main", "/-/api/v1/openapi.json"))
        uploads = {index["name"]: index["takes_uploads"] for index in root["indexes"]}
        self.assertEqual(uploads, {"main": True, "own": True, "root/dev": True, "root/pypi": False})


class ProjectTests(ApiTestCase):
    def test_everything_is_there(self) -> None:
        project = self.told("GET", DEMO)
        self.assertEqual([release["version"] for release in project["releases"]], ["1.0", "2.0"])
        self.assertEqual((project["status"], project["serial"], project["rules"]), ("active", 3, []))
        file = self.files()[self.wheel.filename]
        self.assertEqual((file["size"], file["version"]), (len(self.wheel.content), "1.0"))
        self.assertEqual(file["digests"]["sha256"], self.wheel.sha256)
        self.assertEqual((file["yanked"], file["uploaded_by"], file["requires_python"]), (None, "alice", ">=3.8"))
        self.assertEqual((file["serial"], self.files()[self.newer.filename]["serial"]), (1, 3))

    def test_any_spelling_of_the_project_will_do(self) -> None:
        self.assertEqual(self.told("GET", "indexes/main/projects/DEMO"), self.told("GET", DEMO))

    def test_index_may_have_two_segments(self) -> None:
        self.publish(self.wheel, "/root/dev/")
        self.assertEqual(list(self.files("indexes/root/dev/projects/demo")), [self.wheel.filename])

    def test_project_may_be_called_as_something_else_of_the_url_is(self) -> None:
        for name in ("projects", "yank", "releases", "retention"):
            self.assertIn("has no project", self.refused(404, "GET", f"indexes/main/projects/{name}"))
            self.assertIn("has no project", self.refused(404, "DELETE", f"indexes/main/projects/{name}/yank"))

    def test_what_is_not_there(self) -> None:
        self.assertIn("no project absent", self.refused(404, "GET", "indexes/main/projects/absent"))
        self.assertIn("there is no index nowhere", self.refused(404, "GET", "indexes/nowhere/projects/demo"))

    def test_project_of_a_mirror_has_what_is_laid_over_it(self) -> None:
        path = "indexes/root/pypi/projects/demo"
        self.assertEqual((self.told("GET", path)["status"], self.told("GET", path)["rules"]), (None, []))
        self.told("PUT", f"{path}/releases/1.0/yank", {"reason": "slow"})
        (rule,) = self.told("GET", path)["rules"]
        self.assertEqual((rule["kind"], rule["version"], rule["reason"]), ("yank", "1.0", "slow"))


class DownloadTests(ApiTestCase):
    def download(self, times: int = 1) -> None:
        for _ in range(times):
            self.get(f"/files/demo/{self.wheel.sha256[:16]}/{self.wheel.filename}")

    def test_downloads_are_counted_by_file_release_and_day(self) -> None:
        self.download(2)
        self.clock.advance(86400)
        self.download()
        told = self.told("GET", f"{DEMO}/downloads")
        self.assertEqual(told["total"], 3)
        self.assertEqual(told["files"][self.wheel.filename]["days"], {"1970-01-01": 2, "1970-01-02": 1})
        self.assertEqual(told["releases"]["1.0"]["total"], 3)
        self.assertEqual(self.files()[self.wheel.filename]["downloads"], 3)
        self.assertEqual([each["downloads"] for each in self.told("GET", DEMO)["releases"]], [3, 0])

    def test_period(self) -> None:
        self.download(2)
        self.clock.advance(86400)
        self.download()
        for query, total in (("from=1970-01-02", 1), ("to=1970-01-01", 2), ("from=1970-01-03", 0), ("from=&to=", None)):
            if total is None:
                self.refused(400, "GET", f"{DEMO}/downloads?{query}")
            else:
                self.assertEqual(self.told("GET", f"{DEMO}/downloads?{query}")["total"], total, query)

    def test_what_nobody_has_downloaded(self) -> None:
        told = self.told("GET", "indexes/root/pypi/projects/absent/downloads")
        self.assertEqual((told["total"], told["files"], told["releases"]), (0, {}, {}))


class RetentionTests(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.retainer.rules = {MAIN: Retention(keep_releases=1)}

    def test_plan_changes_nothing_and_its_execution_does_what_it_says(self) -> None:
        plan = self.told("GET", "retention/main")
        (going,) = plan["releases"]
        self.assertEqual((going["project"], going["version"], len(going["files"])), ("demo", "1.0", 2))
        self.assertEqual(len(self.files()), 3)
        self.assertEqual(self.told("POST", "retention/main", {}), plan)
        self.assertEqual(list(self.files()), [self.newer.filename])
        self.assertEqual(self.told("POST", "retention/main", {})["releases"], [])

    def test_other_indexes_are_left_alone(self) -> None:
        self.told("POST", "retention/own", {})
        self.assertEqual(len(self.files()), 3)
        self.assertIn("mirrors", self.refused(409, "POST", "retention/root/pypi", {}))
