"""What the upload form must say."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.errors import UploadRefused
from pypid.domain.filenames import FileKind
from pypid.domain.uploads import DIGEST_LENGTHS, Upload, claims_of, read_upload
from pypid.domain.validation.claims import NO_CLAIMS, Claims
from tests.domain.strategies import hostile_texts, patient
from tests.kit.dists import sdist, wheel

WHEEL = wheel("Demo.Pkg", "1.0")
SHA256 = "ab" * 32


def a_form(**fields: str | tuple[str, ...] | None) -> dict[str, tuple[str, ...]]:
    """Return what twine sends for `WHEEL`, with ``fields`` in place of its own; None leaves one out."""
    usual: dict[str, str | tuple[str, ...] | None] = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": "Demo.Pkg",
        "version": "1.0",
        "filetype": "bdist_wheel",
        "pyversion": "py3",
        "classifiers": ("A", "B"),
    }
    chosen = usual | fields
    return {k: v if isinstance(v, tuple) else (v,) for k, v in chosen.items() if v is not None}


class ReadUploadTests(SynchronousTestCase):
    def problems(
        self, filename: str | None = WHEEL.filename, **fields: str | tuple[str, ...] | None
    ) -> tuple[str, ...]:
        with self.assertRaises(UploadRefused) as raised:
            read_upload(a_form(**fields), filename)
        return tuple(raised.exception.problems)

    def assert_problem(
        self, expected: str, filename: str | None = WHEEL.filename, **fields: str | tuple[str, ...]
    ) -> None:
        (problem,) = self.problems(filename, **fields)
        self.assertIn(expected, problem)

    def test_wheel(self) -> None:
        upload = read_upload(a_form(requires_python=">=3.9", sha256_digest=SHA256.upper()), WHEEL.filename)
        self.assertEqual(
            upload,
            Upload(
                project=WHEEL.project,
                version=Version("1.0"),
                kind=FileKind.WHEEL,
                filename=WHEEL.filename,
                requires_python=">=3.9",
                requires_dist=(),
                summary=None,
                digests={"sha256": SHA256},
            ),
        )

    def test_sdist(self) -> None:
        file = sdist("demo-pkg", "1.0")
        upload = read_upload(a_form(filetype="sdist", requires_python="", protocol_version=None), file.filename)
        self.assertEqual((upload.kind, upload.requires_python, upload.digests), (FileKind.SDIST, None, {}))

    def test_spellings_agree(self) -> None:
        """Name and version of the form may be written otherwise than in the filename."""
        for name, version in (("demo_pkg", "1.0"), ("DEMO-pkg", "1"), ("demo.pkg", "v1.0.0")):
            self.assertEqual(read_upload(a_form(name=name, version=version), WHEEL.filename).project, "demo-pkg")

    def test_unknown_is_absent(self) -> None:
        """Old setuptools sends UNKNOWN for what it does not know."""
        upload = read_upload(a_form(requires_python="UNKNOWN", md5_digest=("", "UNKNOWN")), WHEEL.filename)
        self.assertEqual((upload.requires_python, upload.digests), (None, {}))

    def test_every_problem_at_once(self) -> None:
        problems = self.problems(
            None,
            name=None,
            version="one",
            filetype="bdist_egg",
            requires_python="three",
            md5_digest="zz",
            protocol_version="2",
            **{":action": "submit"},
        )
        self.assertEqual(len(problems), 8)
        for field in ("action", "protocol", "name", "Version", "filetype", "file", "Requires-Python", "md5_digest"):
            self.assertTrue(any(field in problem for problem in problems), (field, problems))

    def test_single_problems(self) -> None:
        self.assert_problem(":action: 'user' is not known here", **{":action": "user"})
        self.assert_problem("Cannot upload a file with '/'", f"dist/{WHEEL.filename}")
        self.assert_problem("does not have a file", "")
        self.assert_problem("'-demo' is an invalid value for Name", name="-demo")
        self.assert_problem("'1.0-' is an invalid value for Version", version="1.0-")
        self.assert_problem("known file type", filetype="bdist_wininst")
        self.assert_problem("'>3 or so' is an invalid value for Requires-Python", requires_python=">3 or so")
        self.assert_problem("does not have a file", None)
        self.assert_problem("Invalid file extension", "demo_pkg-1.0.exe")
        self.assert_problem("has to be a .tar.gz", "demo_pkg-1.0.tar.bz2", filetype="sdist")
        self.assert_problem("content:", "demo_pkg-1.0-py3-none.whl")

    def test_contradictions(self) -> None:
        """A file cannot be published as another project's, another version's, or as of another kind."""
        self.assert_problem("project 'demo-pkg', the form's name is 'other'", name="other")
        self.assert_problem("version '1.0', the form's version is '2.0'", version="2.0")
        self.assert_problem("bdist_wheel, the form's filetype is sdist", filetype="sdist")

    def test_problems_of_the_body_come_first(self) -> None:
        with self.assertRaises(UploadRefused) as raised:
            read_upload(a_form(name="other"), WHEEL.filename, ["summary: this is not UTF-8."])
        self.assertEqual(raised.exception.problems[0], "summary: this is not UTF-8.")
        self.assertEqual(len(raised.exception.problems), 2)
        self.assertRaises(UploadRefused, read_upload, a_form(), WHEEL.filename, ["summary: this is not UTF-8."])

    def test_given_twice(self) -> None:
        """Which of two names would count must not be guessed."""
        self.assert_problem("name: given 2 times", name=("Demo.Pkg", "other"))
        self.assert_problem("sha256_digest: given 2 times", sha256_digest=(SHA256, SHA256))

    def test_bad_digests(self) -> None:
        for name, length in DIGEST_LENGTHS.items():
            for text in ("a" * (length - 1), "a" * (length + 1), "g" * length, "a" * (length - 1) + "\u0661"):
                self.assert_problem(f"{name}_digest: Use a valid, hex-encoded", **{f"{name}_digest": text})

    def test_digest_of_distutils(self) -> None:
        """It takes 512 bits for 256; what it says beside that is checked."""
        upload = read_upload(a_form(blake2_256_digest="ab" * 64, sha256_digest=SHA256), WHEEL.filename)
        self.assertEqual(upload.digests, {"sha256": SHA256})

    def test_enormous_version(self) -> None:
        """A version with more digits than int() reads is a problem of the form, not of the server."""
        self.assert_problem("is an invalid value for Version", version="9" * 5000)

    def test_enormous_requires_python(self) -> None:
        upload = read_upload(a_form(requires_python=f">={'9' * 100}"), WHEEL.filename)
        self.assertEqual(len(upload.requires_python or ""), 102)

    def test_filename_with_room_for_a_suffix(self) -> None:
        """The longest name that a file system takes leaves none for the .json of its record."""
        longest = "demo_pkg-1.0-py3-none-{}.whl"
        fits = longest.format("a" * (250 - len(longest) + 2))
        self.assertEqual(len(fits), 250)
        self.assertEqual(read_upload(a_form(), fits).filename, fits)
        self.assert_problem("longer than 250 characters", fits.replace("-aa", "-aaa"))

    def test_messages_stay_short(self) -> None:
        for field in ("name", "version", "requires_python"):
            (problem,) = self.problems(**{field: "!" * 100_000})
            self.assertLess(len(problem), 400, field)

    _fields = st.sampled_from([":action", "name", "version", "filetype", "requires_python", "sha256_digest", "x"])

    @patient
    @given(
        st.dictionaries(_fields, st.lists(hostile_texts, max_size=2).map(tuple)),
        st.none() | hostile_texts | st.just(WHEEL.filename),
    )
    def test_any_form(self, fields: dict[str, tuple[str, ...]], filename: str | None) -> None:
        """Whatever is sent, the answer is an upload or a list of problems, never empty."""
        try:
            read_upload(a_form() | fields, filename)
        except UploadRefused as e:
            self.assertTrue(e.problems)
            self.assertTrue(all(e.problems))


class ClaimsTests(SynchronousTestCase):
    def test_they_are_those_of_a_form_that_can_be_read(self) -> None:
        form = a_form(requires_python=">=3.9", requires_dist=("a", "", "b"))
        self.assertEqual(claims_of(form), read_upload(form, WHEEL.filename).claims)

    def test_form_that_cannot(self) -> None:
        self.assertEqual(claims_of({}), NO_CLAIMS)
        twice = a_form(name=None, requires_python=(">=3.9", ">=3.8"), requires_dist="a")
        self.assertEqual(claims_of(twice), Claims(requires_dist=("a",)))


class CheckDigestsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.computed = {
            "sha256": hashlib.sha256(WHEEL.content).hexdigest(),
            "md5": hashlib.md5(WHEEL.content, usedforsecurity=False).hexdigest(),
            "blake2_256": hashlib.blake2b(WHEEL.content, digest_size=32).hexdigest(),
        }

    def test_right(self) -> None:
        fields = {f"{name}_digest": digest.upper() for name, digest in self.computed.items()}
        upload = read_upload(a_form(**fields), WHEEL.filename)
        self.assertEqual(upload.digests, self.computed)
        upload.check_digests(self.computed)

    def test_wrong(self) -> None:
        """Each digest that differs is named, with both values."""
        fields = {"sha256_digest": SHA256, "md5_digest": self.computed["md5"], "blake2_256_digest": "00" * 32}
        upload = read_upload(a_form(**fields), WHEEL.filename)
        with self.assertRaises(UploadRefused) as raised:
            upload.check_digests(self.computed)
        sha256, blake2 = raised.exception.problems
        self.assertIn(f"sha256 should be {SHA256}, and is {self.computed['sha256']}", sha256)
        self.assertIn("blake2_256", blake2)
