"""Yanking, blocking and statuses through the management API."""

from __future__ import annotations

import json
from typing import Any

from tests.kit.dists import wheel
from tests.web.api.world import DEMO, ApiTestCase, path_of

SIMPLE = {"Accept": "application/vnd.pypi.simple.v1+json"}
MIRRORED = "indexes/root/pypi/projects/public"


class MarksTestCase(ApiTestCase):
    def page(self, path: str = "/simple/demo/") -> Any:
        answer = self.get(path, SIMPLE)
        self.assertEqual(answer.status, 200)
        return json.loads(answer.body)


class YankTests(MarksTestCase):
    def test_release_is_yanked_for_a_reason_until_it_is_not(self) -> None:
        told = self.told("PUT", f"{DEMO}/releases/1.0/yank", {"reason": "broken on 3.14"})
        self.assertEqual((told["changed"], set(told["files"])), (True, {self.wheel.filename, self.sdist.filename}))
        yanked = {file["filename"]: file.get("yanked", False) for file in self.page()["files"]}
        why = "broken on 3.14"
        self.assertEqual(yanked, {self.wheel.filename: why, self.sdist.filename: why, self.newer.filename: False})
        self.assertFalse(self.told("PUT", f"{DEMO}/releases/1/yank", {"reason": why})["changed"])
        self.told("DELETE", f"{DEMO}/releases/1.0/yank")
        self.assertEqual(set(self.yanked().values()), {None})

    def test_one_file_and_the_whole_project(self) -> None:
        self.told("PUT", f"{path_of(self.sdist)}/yank", {"reason": ""})
        self.assertEqual([name for name, why in self.yanked().items() if why is not None], [self.sdist.filename])
        self.assertEqual(len(self.told("PUT", f"{DEMO}/yank", {"reason": "all"})["files"]), 3)
        self.assertEqual(len(self.told("DELETE", f"{DEMO}/yank")["files"]), 3)

    def test_reason_may_be_left_out(self) -> None:
        self.told("PUT", f"{DEMO}/releases/2.0/yank")
        self.assertEqual(self.yanked()[self.newer.filename], "")

    def test_what_is_not_there(self) -> None:
        for part in ("releases/3.0", "files/demo-3.0-py3-none-any.whl"):
            for method in ("PUT", "DELETE"):
                self.assertIn("main has no demo", self.refused(404, method, f"{DEMO}/{part}/yank"))
        self.assertIn("'one' is no version", self.refused(404, "PUT", f"{DEMO}/releases/one/yank"))
        self.refused(404, "PUT", f"{DEMO}/releases/{'9' * 5000}/yank")
        self.assertEqual(set(self.yanked().values()), {None})

    def test_release_of_a_mirror_is_yanked_here(self) -> None:
        public = self.index.add(wheel("public"))
        for changed in (True, False):
            told = self.told("PUT", f"{MIRRORED}/releases/1.0/yank", {"reason": "not here"})
            self.assertEqual(told["changed"], changed)
        (file,) = self.page("/simple/public/")["files"]
        self.assertEqual((file["filename"], file["yanked"]), (public.filename, "not here"))
        self.assertTrue(self.told("DELETE", f"{MIRRORED}/releases/1.0/yank")["changed"])
        self.assertNotIn("yanked", self.page("/simple/public/")["files"][0])

    def test_full_disk_is_said(self) -> None:
        self.hosted_writer.full = {"_write"}
        self.assertIn("cannot be recorded", self.refused(507, "PUT", f"{DEMO}/yank"))
        self.hosted_writer.full = set()
        self.assertEqual(set(self.yanked().values()), {None})


class BlockTests(MarksTestCase):
    def test_file_of_a_mirror_is_blocked_until_it_is_not(self) -> None:
        public = self.index.add(wheel("public"))
        file = f"/files/public/{public.sha256[:16]}/{public.filename}"
        path = f"{path_of(public, 'root/pypi')}/block"
        self.assertEqual(self.get(file).status, 200)
        self.assertTrue(self.told("PUT", path, {"reason": "malware"})["changed"])
        self.assertEqual(self.page("/simple/public/")["files"], [])
        self.assertEqual(self.get(file).status, 403)
        self.assertTrue(self.told("DELETE", path)["changed"])
        self.assertFalse(self.told("DELETE", path)["changed"])
        self.assertEqual(self.get(file).status, 200)

    def test_project_and_release_of_a_mirror(self) -> None:
        self.index.add(wheel("public"))
        for part in ("", "/releases/1.0"):
            self.told("PUT", f"{MIRRORED}{part}/block")
            self.assertEqual(self.page("/simple/public/")["files"], [])
            self.told("DELETE", f"{MIRRORED}{part}/block")
            self.assertEqual(len(self.page("/simple/public/")["files"]), 1)

    def test_file_of_another_project_is_not_blocked(self) -> None:
        """A slip that would block nothing, and say that it did."""
        for method in ("PUT", "DELETE"):
            why = self.refused(404, method, f"{MIRRORED}/files/{wheel('publik').filename}/block")
            self.assertEqual(why, "publik-1.0-py3-none-any.whl is no file of public")

    def test_uploads_are_not_blocked(self) -> None:
        for method in ("PUT", "DELETE"):
            self.assertIn("never blocked", self.refused(409, method, f"{DEMO}/block"))


class StatusTests(MarksTestCase):
    def test_archived_project_takes_no_uploads(self) -> None:
        self.told("PUT", f"{DEMO}/status", {"status": "archived", "reason": "see demo2"})
        self.assertEqual(self.page()["project-status"], {"status": "archived", "reason": "see demo2"})
        answer = self.upload(wheel("demo", "3.0"))
        self.assertEqual(answer.status, 403)
        self.assertIn("is archived, and accepts no uploads: see demo2", answer.reason)
        self.assertTrue(self.told("DELETE", f"{DEMO}/status")["changed"])
        self.assertFalse(self.told("DELETE", f"{DEMO}/status")["changed"])
        self.publish(wheel("demo", "3.0"))

    def test_quarantined_project_shows_its_files_to_who_looks_after_it_alone(self) -> None:
        self.told("PUT", f"{DEMO}/status", {"status": "quarantined"})
        self.assertEqual(self.page()["files"], [])
        self.assertEqual(len(self.files()), 3)
        self.assertEqual(self.told("GET", DEMO)["status"], "quarantined")

    def test_status_of_a_project_of_a_mirror(self) -> None:
        self.index.add(wheel("public"))
        self.told("PUT", f"{MIRRORED}/status", {"status": "deprecated", "reason": "use ours"})
        self.assertEqual(self.page("/simple/public/")["project-status"]["status"], "deprecated")
        self.told("DELETE", f"{MIRRORED}/status")
        self.assertEqual(self.page("/simple/public/")["project-status"], {"status": "active"})

    def test_project_that_is_not_there_has_none(self) -> None:
        self.refused(404, "PUT", "indexes/main/projects/absent/status", {"status": "archived"})
