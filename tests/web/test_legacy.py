"""The legacy JSON, of what is uploaded and of what is mirrored."""

import json
from hashlib import blake2b, md5
from typing import Any

from packaging.version import Version

from tests.kit.dists import sdist, wheel
from tests.kit.upstream import Status
from tests.web.world import WebTestCase


class LegacyJsonTests(WebTestCase):
    def body(self, target: str, host: str = "pypid.test") -> Any:
        answer = self.get(target, {"Host": host})
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/json"), target)
        return json.loads(answer.body)

    def test_uploaded_project_is_described_from_its_metadata(self) -> None:
        self.publish(wheel("Demo.Pkg", "1.0"))
        new = self.publish(wheel("Demo.Pkg", "2.0", requires=["other>1"], requires_python=">=3.8", summary="Ünïcode"))
        self.publish(wheel("Demo.Pkg", "3.0rc1"))
        source = self.publish(sdist("Demo.Pkg", "2.0"))
        body = self.body("/pypi/demo-pkg/json", host="packages.test:8080")
        info = body["info"]
        self.assertEqual((info["name"], info["version"], info["summary"]), ("Demo.Pkg", "2.0", "Ünïcode"))
        self.assertEqual((info["requires_dist"], info["requires_python"]), (["other>1"], ">=3.8"))
        self.assertEqual((info["yanked"], info["yanked_reason"], info["description"]), (False, None, None))
        self.assertEqual(list(body["releases"]), ["1.0", "2.0", "3.0rc1"])
        self.assertEqual(body["urls"], body["releases"]["2.0"])
        first, second = body["urls"]
        self.assertEqual((first["filename"], second["filename"]), (new.filename, source.filename))
        self.assertEqual((first["packagetype"], first["python_version"]), ("bdist_wheel", "py3"))
        self.assertEqual((second["packagetype"], second["python_version"]), ("sdist", "source"))
        digests = {
            "md5": md5(new.content, usedforsecurity=False).hexdigest(),
            "blake2b_256": blake2b(new.content, digest_size=32).hexdigest(),
            "sha256": new.sha256,
        }
        self.assertEqual((first["digests"], first["size"]), (digests, len(new.content)))
        self.assertEqual((first["md5_digest"], first["requires_python"]), (digests["md5"], ">=3.8"))
        self.assertRegex(first["upload_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")
        self.assertRegex(first["upload_time_iso_8601"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertTrue(first["url"].startswith("http://packages.test:8080/packages/"), first["url"])
        for entry, dist in zip(body["urls"], (new, source), strict=True):
            self.assertEqual(self.get(entry["url"].removeprefix("http://packages.test:8080")).body, dist.content)

    def test_release_has_its_own_files_and_not_all(self) -> None:
        old = self.publish(wheel("demo", "1.0", summary="The first"))
        self.publish(wheel("demo", "2.0"))
        for spelled in ("1.0", "1", "1.0.0"):
            body = self.body(f"/pypi/demo/{spelled}/json")
            self.assertEqual((body["info"]["version"], body["info"]["summary"]), ("1.0", "The first"))
            self.assertEqual([entry["filename"] for entry in body["urls"]], [old.filename])
            self.assertNotIn("releases", body)

    def test_what_a_wheel_says_counts_before_the_form(self) -> None:
        """Installers read both, and would be led astray by two answers."""
        said = wheel("demo", "1.0", requires_python=">=3.8")
        self.assertEqual(self.upload(said, requires_python=">=3.12").status, 400)
        self.assertEqual(self.upload(said, summary="Another").status, 200)
        body = self.body("/pypi/demo/json")
        self.assertEqual(body["info"]["summary"], "A test distribution")
        self.assertEqual((body["info"]["requires_python"], body["urls"][0]["requires_python"]), (">=3.8", ">=3.8"))
        self.assertIn("&gt;=3.8", self.get("/simple/demo/").text)

    def test_source_alone_has_what_the_index_knows(self) -> None:
        self.assertEqual(self.upload(sdist("demo", "1.0"), requires_python=">=3.7").status, 200)
        info = self.body("/pypi/demo/json")["info"]
        self.assertEqual((info["name"], info["version"], info["requires_python"]), ("demo", "1.0", ">=3.7"))
        self.assertEqual((info["summary"], info["classifiers"]), (None, []))

    def test_every_url_and_spelling(self) -> None:
        self.publish(wheel("demo-pkg"))
        expected = self.body("/pypi/demo-pkg/json")
        for target in ("/demo-pkg/json", "/Demo_Pkg/json", "/pypi/Demo.Pkg/json"):
            self.assertEqual(self.body(target), expected, target)

    def test_index_wins_over_a_project_of_its_name(self) -> None:
        self.assertEqual(self.get("/main/json").headers["Location"], "simple/json/")
        self.assertEqual(self.get("/main/json/").headers["Location"], "../simple/json/")

    def test_what_is_not_there_is_a_404(self) -> None:
        self.publish(wheel("demo"))
        for target in ("absent/json", "demo/9.9/json", "demo/x/json", f"demo/{'9' * 5000}/json", "demo/json/json"):
            self.assertEqual(self.get(f"/pypi/{target}").status, 404, target[:20])

    def test_it_is_validated_each_time(self) -> None:
        self.publish(wheel("demo"))
        first = self.get("/pypi/demo/json")
        self.assertEqual(first.headers["Cache-Control"], "no-cache")
        again = self.get("/pypi/demo/json", {"If-None-Match": first.headers["ETag"]})
        self.assertEqual((again.status, again.body, again.headers["ETag"]), (304, b"", first.headers["ETag"]))
        self.publish(wheel("demo", "2.0"))
        changed = self.get("/pypi/demo/json", {"If-None-Match": first.headers["ETag"]})
        self.assertEqual(Version(json.loads(changed.body)["info"]["version"]), Version("2.0"))

    def test_upload_that_lost_its_metadata_is_no_missing_project(self) -> None:
        demo = self.publish(wheel("demo"))
        digest = demo.metadata_sha256 or ""
        (self.data / "blobs" / digest[:2] / digest).unlink()
        self.assertEqual(self.get("/pypi/demo/json").status, 500)


class MirroredTests(WebTestCase):
    """What upstream says goes through us; the files are those of our page, at our URLs."""

    def body(self, target: str) -> Any:
        return json.loads(self.get(target).body)

    def test_whole_project(self) -> None:
        self.index.add(wheel("demo", "1.0"))
        new = self.index.add(wheel("demo", "2.0", summary="Theirs", requires=["other>1"]))
        self.index.projects["demo"].vulnerabilities.append({"id": "PYSEC-1", "fixed_in": ["3"]})
        body = self.body("/pypi/demo/json")
        info = body["info"]
        self.assertEqual((info["version"], info["summary"], info["requires_dist"]), ("2.0", "Theirs", ["other>1"]))
        self.assertEqual([each["id"] for each in body["vulnerabilities"]], ["PYSEC-1"])
        self.assertEqual(list(body["releases"]), ["1.0", "2.0"])
        (entry,) = body["urls"]
        self.assertEqual(set(entry["digests"]), {"md5", "blake2b_256", "sha256"})
        self.assertTrue(entry["url"].startswith("http://pypid.test/packages/"), entry["url"])
        self.assertEqual(self.get(entry["url"].removeprefix("http://pypid.test")).body, new.content)

    def test_one_release(self) -> None:
        old = self.index.add(wheel("demo", "1.0", summary="First"))
        self.index.add(wheel("demo", "2.0"))
        for spelled in ("1.0", "1"):
            body = self.body(f"/pypi/demo/{spelled}/json")
            self.assertEqual((body["info"]["version"], body["info"]["summary"]), ("1.0", "First"))
            self.assertEqual([entry["digests"]["sha256"] for entry in body["urls"]], [old.sha256])
        self.assertEqual(self.index.count(glob="/pypi/*"), 1)
        self.assertEqual(self.get("/pypi/demo/3.0/json").status, 404)
        self.assertEqual(self.index.count(glob="/pypi/*"), 1, "a release that the page has not is not asked for")

    def test_file_that_the_page_has_not_is_left_out(self) -> None:
        """Upstream's JSON may be older than its page, or newer."""
        gone = self.index.add(wheel("demo", "1.0"))
        self.index.add(wheel("demo", "2.0"))
        self.body("/pypi/demo/json")
        self.index.remove(gone)
        self.clock.advance(601 + 300)
        self.get("/simple/demo/")
        self.index.script("/pypi/*", Status(503))
        body = self.body("/pypi/demo/json")
        self.assertEqual((body["info"]["summary"], list(body["releases"])), ("A test distribution", ["2.0"]))

    def test_upstream_without_it_leaves_what_the_page_says(self) -> None:
        self.index.add(wheel("demo", "1.0"))
        self.index.script("/pypi/*", Status(404))
        body = self.body("/pypi/demo/json")
        self.assertEqual((body["info"]["version"], body["info"]["summary"]), ("1.0", None))
        self.assertEqual(len(body["urls"]), 1)

    def test_upstream_in_trouble_is_no_answer_and_no_404(self) -> None:
        self.index.add(wheel("demo", "1.0"))
        self.index.script("/pypi/*", Status(503, {"Retry-After": "7"}))
        answer = self.get("/pypi/demo/json")
        self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "7"))

    def test_hosted_project_is_not_asked_for(self) -> None:
        self.publish(wheel("demo", "1.0", summary="Ours"))
        self.index.add(wheel("demo", "9.0", summary="Theirs"))
        body = self.body("/pypi/demo/json")
        self.assertEqual(
            (body["info"]["summary"], list(body["releases"]), body["vulnerabilities"]), ("Ours", ["1.0"], [])
        )
        self.assertEqual((self.get("/pypi/demo/9.0/json").status, self.index.requests), (404, []))

    def test_project_without_files_is_no_missing_one(self) -> None:
        self.index.remove(self.index.add(wheel("demo", "1.0")))
        body = self.body("/pypi/demo/json")
        self.assertEqual((body["info"]["name"], body["releases"]), ("demo", {}))
