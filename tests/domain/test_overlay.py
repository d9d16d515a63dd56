"""Rules that a team lays over somebody else's project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pypid.domain.files import DistributionFile, ProjectPage, ProjectStatus, Status
from pypid.domain.names import NormalizedName
from pypid.domain.overlay import Kind, Rule, block_of, laid_over, status_of
from pypid.domain.subject import Subject

DEMO = NormalizedName("demo")
WHEEL_1, SDIST_1, SDIST_2 = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz", "demo-2.0.tar.gz"
FILES = (WHEEL_1, SDIST_1, SDIST_2, "strange.name")
EVERYTHING, ONE, TWO = (
    Subject(project=DEMO),
    Subject(project=DEMO, version=Version("1")),
    Subject(project=DEMO, filename=SDIST_2),
)


def page(*filenames: str, **changes: object) -> ProjectPage:
    files = tuple(DistributionFile(filename=name, sha256="ab" * 32) for name in filenames or FILES)
    return ProjectPage(name=DEMO, files=files, revision="r", max_age=600, versions=("1.0", "2.0"), **changes)  # type: ignore[arg-type]


def shown(*rules: Rule, status: ProjectStatus | None = None) -> dict[str, str | None]:
    """Return the filenames that are shown under ``rules``, each with why it is yanked."""
    return {file.filename: file.yanked for file in laid_over(page(status=status), rules).files}


def block(subject: Subject, reason: str = "malware") -> Rule:
    return Rule(subject=subject, kind=Kind.BLOCK, reason=reason, serial=1)


def yank(subject: Subject, reason: str = "broken") -> Rule:
    return Rule(subject=subject, kind=Kind.YANK, reason=reason, serial=1)


def test_nothing_is_touched_without_rules() -> None:
    assert shown() == dict.fromkeys(FILES)


def test_release_is_yanked_however_its_version_is_spelled() -> None:
    assert shown(yank(ONE)) == {WHEEL_1: "broken", SDIST_1: "broken", SDIST_2: None, "strange.name": None}


def test_file_is_yanked_without_a_reason() -> None:
    assert shown(yank(TWO, ""))[SDIST_2] == ""


def test_what_upstream_yanked_keeps_its_reason() -> None:
    upstream = ProjectPage(
        name=DEMO, files=(DistributionFile(filename=SDIST_1, sha256="ab" * 32, yanked="theirs"),), revision="r"
    )
    assert laid_over(upstream, [yank(EVERYTHING)]).files[0].yanked == "theirs"


def test_blocked_release_is_not_shown() -> None:
    assert set(shown(block(ONE))) == {SDIST_2, "strange.name"}
    assert set(shown(block(TWO), yank(ONE))) == {WHEEL_1, SDIST_1, "strange.name"}


@pytest.mark.parametrize(
    ("blocked", "left"),
    [
        ([ONE], ("2.0", "3.0")),
        ([Subject(project=DEMO, filename=SDIST_1)], ("1.0", "2.0", "3.0")),
        ([Subject(project=DEMO, filename=SDIST_1), Subject(project=DEMO, filename=WHEEL_1)], ("2.0", "3.0")),
        ([Subject(project=DEMO, version=Version("3"))], ("1.0", "2.0")),
    ],
)
def test_version_goes_with_its_last_file(blocked: Sequence[Subject], left: Sequence[str]) -> None:
    """Tools that look for newer releases read the versions alone, and 3.0 is one that has no file upstream."""
    listed = replace(page(), versions=("1.0", "2.0", "3.0"))
    assert laid_over(listed, [block(subject) for subject in blocked]).versions == left


def test_blocked_project_is_in_quarantine_for_that_reason() -> None:
    laid = laid_over(page(), [block(EVERYTHING)])
    assert (laid.files, laid.status) == ((), ProjectStatus(Status.QUARANTINED, "malware"))


def test_file_without_a_version_goes_with_its_project_or_by_its_name() -> None:
    named = Subject(project=DEMO, filename="strange.name")
    assert block_of([block(EVERYTHING)], "strange.name") is not None
    assert block_of([block(named)], "strange.name") is not None
    assert block_of([block(ONE)], "strange.name") is None


@pytest.mark.parametrize("status", [Status.ARCHIVED, Status.DEPRECATED])
def test_status_here_wins_over_upstreams(status: Status) -> None:
    rule = Rule(subject=EVERYTHING, kind=Kind.STATUS, status=status, reason="use other")
    laid = laid_over(page(status=ProjectStatus(Status.ACTIVE)), [rule])
    assert (laid.status, len(laid.files)) == (ProjectStatus(status, "use other"), len(FILES))


def test_status_of_quarantine_shows_no_files() -> None:
    rule = Rule(subject=EVERYTHING, kind=Kind.STATUS, status=Status.QUARANTINED)
    assert laid_over(page(), [rule]).files == ()


def test_upstreams_quarantine_stays() -> None:
    assert shown(yank(ONE), status=ProjectStatus(Status.QUARANTINED)) == {}
    assert status_of([yank(ONE)]) is None


def test_no_client_keeps_the_page_and_each_change_is_another_revision() -> None:
    """Also the one that takes a rule back, and makes the same again."""
    revisions = {
        laid_over(page(), rules).revision
        for rules in ([], [yank(ONE)], [yank(ONE), block(TWO)], [Rule(subject=ONE, kind=Kind.YANK, serial=7)])
    }
    assert len(revisions) == 4
    assert laid_over(page(), [yank(ONE)]).max_age == 0


subjects = st.sampled_from([EVERYTHING, ONE, TWO, Subject(project=DEMO, version=Version("2.0"))])
rules = st.lists(
    st.builds(Rule, subject=subjects, kind=st.sampled_from([Kind.YANK, Kind.BLOCK]), reason=st.text(max_size=5)),
    max_size=5,
)


@given(rules)
def test_what_is_shown_is_what_is_not_blocked(laid: Sequence[Rule]) -> None:
    """A page and the answer to a request for a file never disagree, and no bytes change."""
    before = page()
    after = laid_over(before, laid)
    assert {file.filename for file in after.files} == {name for name in FILES if block_of(laid, name) is None}
    assert {(file.filename, file.identity) for file in after.files} <= {
        (file.filename, file.identity) for file in before.files
    }
