"""B51, B54, B55, B58: what metadata may say, and that the form says the same."""

from __future__ import annotations

import pytest

from pypid.domain.validation.claims import Claims
from pypid.domain.validation.findings import MAX_FINDINGS, Findings, Level, Weight
from tests.domain.validation.verdicts import SDIST, effects, verdict
from tests.domain.validation.wheels import FILENAME, INFO, make
from tests.kit.dists import sdist, wheel
from tests.kit.tars import ROOT, tar_gz, tar_member
from tests.kit.zips import Member

START = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        ("Requires-Python: soon", "'soon' is invalid for 'requires-python'.", "rrw"),
        ("Requires-Dist: a b", "'a b' is invalid for 'requires-dist'.", "rrw"),
        ("Requires-Python: >=3\nRequires-Python: >=4", "'requires-python' is no field", "rrw"),
        ("Requires-Dist: a @ https://host.test/a", "Can't have direct dependency: 'a @ https://host.test/a'.", "rii"),
        ("Classifier: Private :: Do not upload", "'Private :: Do not upload' is not a valid classifier.", "rii"),
        ("Description-Content-Type: text/html", "'description-content-type' must be one of", "rwi"),
        ("Dynamic: name", "'name' is not allowed as a dynamic field.", "rwi"),
        ("License-Expression: beer", "'beer' is invalid for 'license-expression'.", "rwi"),
        ("License: MIT\nLicense-Expression: MIT", "License is deprecated when License-Expression is present.", "rwi"),
        (f"Summary: {'x' * 513}", "'summary' field must be 512 characters or less.", "rii"),
        ("Author-email: Alice <alice>", "'alice' is not a valid email address.", "rii"),
        ("Home-page: javascript:alert(1)", "'javascript:alert(1)' is not a valid url.", "rii"),
        ("Home-page: http://[", "'http://[' is not a valid url.", "rii"),
        (f"Project-URL: {'x' * 33}, https://host.test/", "must be 32 characters or less", "rii"),
        ("Colour: blue", "'colour' is no field of core metadata", "wwi"),
        ("Author-email: Alice <alice@host.test>\nProject-URL: Docs, https://host.test", "valid", "iii"),
        ("License-File: LICENSE", f"in distribution file {FILENAME} at {INFO}/licenses/LICENSE.", "rrw"),
    ],
)  # fmt: skip
def test_fields(line: str, text: str, expected: str) -> None:
    assert effects(make(metadata=f"{START}{line}\n".encode()), FILENAME, text) == expected


@pytest.mark.parametrize(
    ("metadata", "text", "expected"),
    [
        (b"", "Its metadata says it is '' '', its filename says demo 1.0.", "rrr"),
        (b"Metadata-Version: 2.1\nName: demo\nVersion: 2.0\n", "Its metadata says it is 'demo' '2.0'", "rrr"),
        (b"Metadata-Version: 2.1\nName: demo\nName: demo\nVersion: 1.0\n", "Its metadata says it is ''", "rrr"),
        (b"Metadata-Version: 2.1\nName: demo\nVersion: " + b"9" * 5000, "Its metadata says it is 'demo' '999", "rrr"),
        (b"Metadata-Version: 9.9\nName: demo\nVersion: 1.0\n", "'9.9' is not a valid metadata version.", "rwi"),
        (b"Name: demo\nVersion: 1.0\n", "is not a valid metadata version.", "rwi"),
        (b"Metadata-Version: 2.1\nName: Demo\nVersion: 1\nSummary: caf\xe9\n", "Its metadata says", "iii"),
        (b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nLicense-File: LICENSE\n", "License-File", "iii"),
    ],
)  # fmt: skip
def test_whole_metadata(metadata: bytes, text: str, expected: str) -> None:
    assert effects(make(metadata=metadata), FILENAME, text) == expected


def test_licence_files_are_found() -> None:
    metadata = f"{START}License-File: LICENSE\nLicense-File: more/NOTICE\n".encode()
    licences = [Member(f"{INFO}/licenses/LICENSE"), Member(f"{INFO}/licenses/more/NOTICE")]
    assert verdict(make(*licences, metadata=metadata), FILENAME, Level.STRICT).problems == ()
    members = [tar_member(f"{ROOT}/{path}") for path in ("LICENSE", "more/NOTICE")]
    info = tar_member(f"{ROOT}/PKG-INFO", metadata)
    assert verdict(tar_gz(info, *members), SDIST, Level.STRICT).problems == ()
    assert effects(tar_gz(info), SDIST, f"License-File LICENSE does not exist in distribution file {SDIST}") == "rrw"


def test_local_version() -> None:
    """B54: for a private index they are what they were made for."""
    made = wheel("demo", "1.0+cu126")
    assert effects(made.content, made.filename, "The use of local versions in '1.0+cu126' is not allowed.") == "rii"


SAME = [
    Claims(),
    Claims(requires_python=">=3.9,<4"),
    Claims(requires_python=" < 4 , >= 3.9 "),
    Claims(requires_dist=("other[x]>=2 ; extra == 'y'", "third")),
    Claims(requires_dist=("third", "Other[X] (>=2); extra=='y'", "third")),
]

DIFFERENT = [
    (Claims(requires_python=">=3.8"), "Requires-Python is '>=3.8' in the form, '<4,>=3.9' in the file."),
    (Claims(requires_python="soon"), "Requires-Python is 'soon' in the form, '<4,>=3.9' in the file."),
    (Claims(requires_dist=("third",)), "only the file has \"other[x]>=2; extra == 'y'\"."),
    (
        Claims(requires_dist=("other>=2", "third", "fourth")),
        "only the form has 'other>=2', 'fourth', only the file has \"other[x]>=2; extra == 'y'\".",
    ),
    (Claims(requires_dist=("a b",)), "only the form has 'a b', only the file has"),
]

DEPENDENCIES = ["other[x]>=2; extra == 'y'", "third"]


@pytest.mark.parametrize("claims", SAME)
def test_form_that_agrees(claims: Claims) -> None:
    for make_dist in (wheel, sdist):
        made = make_dist("demo", requires=DEPENDENCIES, requires_python="<4,>=3.9")
        assert verdict(made.content, made.filename, Level.STRICT, claims).problems == ()


@pytest.mark.parametrize(("claims", "text"), DIFFERENT)
def test_form_that_does_not(claims: Claims, text: str) -> None:
    for make_dist in (wheel, sdist):
        made = make_dist("demo", requires=DEPENDENCIES, requires_python="<4,>=3.9")
        assert effects(made.content, made.filename, text, claims) == "rrw"


def test_form_of_an_old_sdist_may_know_more() -> None:
    """Until version 2.2 an sdist's metadata did not say what only its build finds out."""
    claims = Claims(requires_python=">=3.8", requires_dist=("other",))
    old, new = sdist("demo"), wheel("demo")
    assert verdict(old.content, old.filename, claims=claims).problems == ()
    assert len(verdict(new.content, new.filename, claims=claims).problems) == 2
    for line, problems in (("", 2), ("Dynamic: Requires-Dist\n", 0)):
        info = f"Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n{line}".encode()
        said = verdict(tar_gz(tar_member(f"{ROOT}/PKG-INFO", info)), SDIST, claims=claims)
        assert len(said.problems) == problems


def test_answer_is_bounded() -> None:
    """A million findings are told as fifty and a number."""
    findings = Findings(Level.STANDARD)
    for number in range(10 * MAX_FINDINGS):
        findings.add(Weight.SAFETY, f"{number}")
        findings.add(Weight.SAFETY, f"{number}")
    assert len(findings.problems) == MAX_FINDINGS + 1
    assert findings.problems[-1] == f"And {2 * 9 * MAX_FINDINGS} more."
    assert findings.warnings == ()
