"""Deleting through the management API."""

from __future__ import annotations

from tests.kit.dists import sdist, wheel
from tests.web.api.world import DEMO, ApiTestCase, path_of


class DeletionTests(ApiTestCase):
    def test_file_is_gone_and_does_not_come_back_with_other_bytes(self) -> None:
        file = f"/files/demo/{self.wheel.sha256[:16]}/{self.wheel.filename}"
        told = self.told("DELETE", f"{path_of(self.wheel)}?reason=leaked%20a%20key")
        self.assertEqual((told["changed"], told["files"]), (True, [self.wheel.filename]))
        self.assertEqual(self.get(file).status, 404)
        self.assertNotIn(self.wheel.filename, self.get("/simple/demo/").text)
        answer = self.upload(wheel("demo", "1.0", summary="Another"))
        self.assertEqual(answer.status, 400)
        self.assertIn("This filename was previously used by a file that has since been deleted", answer.reason)
        (tombstone,) = self.told("GET", DEMO)["tombstones"]
        self.assertEqual((tombstone["filename"], tombstone["deleted_by"]), (self.wheel.filename, "alice"))
        self.assertEqual(tombstone["sha256"], self.wheel.sha256)
        (event,) = self.told("GET", "audit?newest=1")["events"]
        self.assertEqual((event["action"], event["reason"]), ("delete", "leaked a key"))

    def test_tombstones_are_in_the_order_of_the_deletions(self) -> None:
        for dist in (self.newer, self.sdist, self.wheel):
            self.told("DELETE", path_of(dist))
        tombstones = [tombstone["filename"] for tombstone in self.told("GET", DEMO)["tombstones"]]
        self.assertEqual(tombstones, [self.newer.filename, self.sdist.filename, self.wheel.filename])

    def test_same_bytes_come_back(self) -> None:
        self.told("DELETE", path_of(self.wheel))
        self.publish(self.wheel)
        self.assertEqual(self.told("GET", DEMO)["tombstones"], [])

    def test_release(self) -> None:
        told = self.told("DELETE", f"{DEMO}/releases/1.0")
        self.assertEqual(set(told["files"]), {self.wheel.filename, self.sdist.filename})
        self.assertEqual(list(self.files()), [self.newer.filename])
        self.refused(404, "DELETE", f"{DEMO}/releases/1.0")

    def test_project_keeps_its_name(self) -> None:
        """B1: nobody upstream gets what was ours."""
        self.index.add(wheel("demo", "99.0"))
        self.assertEqual(len(self.told("DELETE", DEMO)["files"]), 3)
        self.assertFalse(self.told("DELETE", DEMO)["changed"])
        self.assertNotIn("99.0", self.get("/simple/demo/").text)
        self.assertEqual(self.index.paths(), [])

    def test_name_is_given_up_when_that_is_asked_for(self) -> None:
        self.index.add(wheel("demo", "99.0"))
        self.told("DELETE", f"{DEMO}?release_name=true&reason=moved")
        self.assertIn("demo-99.0", self.get("/simple/demo/").text)
        self.refused(404, "GET", DEMO)

    def test_name_is_given_up_later(self) -> None:
        self.told("DELETE", DEMO)
        told = self.told("DELETE", f"{DEMO}?release_name=true")
        self.assertEqual((told["changed"], told["files"]), (True, []))
        self.refused(404, "DELETE", f"{DEMO}?release_name=true")

    def test_release_of_which_a_name_cannot_be_given_up(self) -> None:
        self.assertIn("no such field", self.refused(400, "DELETE", f"{DEMO}/releases/1.0?release_name=true"))
        self.assertEqual(len(self.files()), 3)

    def test_nothing_of_a_mirror_is_deleted(self) -> None:
        mirrored = "indexes/root/pypi/projects/demo"
        for path in (mirrored, f"{mirrored}/releases/1.0", f"{mirrored}/files/{sdist('demo').filename}"):
            self.assertIn("it can be blocked", self.refused(409, "DELETE", path))
