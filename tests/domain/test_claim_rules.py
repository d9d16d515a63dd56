"""P10: whom the rules of a publisher let in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.claim_rules import GITHUB, GITLAB, is_like, rule_problems, rule_warnings, unmet

OTHER = "https://issuer.test"


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("acme/app", "acme/app", True),
        ("acme/app", "acme/App", False),
        ("acme/app", "acme/app2", False),
        ("acme/*", "acme/app", True),
        ("acme/*", "acme/", True),
        ("acme/*", "acme/group/app", False),
        ("acme/**", "acme/group/app", True),
        ("acme/*", "acme-evil/app", False),
        ("refs/tags/v?.*", "refs/tags/v1.20", True),
        ("refs/heads/release-*", "refs/heads/release-1/../main", False),
        ("repo:acme/*:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/main", True),
        ("repo:acme/*:environment:prod", "repo:acme/evil:environment:x:environment:prod", False),
        ("dependabot[bot]", "dependabot[bot]", True),
        ("[ab]", "a", False),
        ("a.c", "abc", False),
        ("*", "", True),
        ("", "", True),
        ("?", "", False),
        ("***", "a/b:c", True),
    ],
)
def test_patterns(pattern: str, text: str, matches: bool) -> None:  # noqa: FBT001
    assert is_like(text, pattern) is matches


@given(st.text("ab/:*?", max_size=8), st.text("ab/:", max_size=8))
def test_as_a_regular_expression(pattern: str, text: str) -> None:
    parts = {"*": "[^/:]*", "?": "[^/:]"}
    written = "".join(
        ".*" if part.startswith("**") else parts.get(part, re.escape(part)) for part in re.findall(r"\*{2,}|.", pattern)
    )
    assert is_like(text, pattern) == bool(re.fullmatch(written, text))


def test_many_stars_take_no_time() -> None:
    """A job chooses its ref: it must not choose how long we think about it."""
    assert not is_like("a" * 1000, "*a" * 40 + "b")


def test_every_rule_must_match() -> None:
    rules = {"repository": ("acme/*",), "ref": ("refs/heads/main", "refs/tags/*")}
    assert unmet(rules, {"repository": "acme/app", "ref": "refs/tags/v1"}) is None
    assert unmet(rules, {"repository": "acme/app", "ref": "refs/heads/dev"}) == "ref"
    assert unmet(rules, {"repository": "acme/app"}) == "ref"
    assert unmet(rules, {"ref": "refs/tags/v1"}) == "repository"


@pytest.mark.parametrize(
    ("value", "matches"),
    [
        ("1", True), (1, True), (["0", "1"], True), ([], False), (None, False), ("", False), (True, False),
        (1.0, False), ({"1": "1"}, False), ([["1"]], False), ("1" * 1001, False),
    ],
)  # fmt: skip
def test_what_a_claim_can_be(value: object, matches: bool) -> None:  # noqa: FBT001
    assert (unmet({"x": ("1",)}, {"x": value}) is None) is matches


def test_yes_and_no_are_written_as_in_json() -> None:
    assert unmet({"x": ("true",)}, {"x": True}) is None
    assert unmet({"x": ("true",)}, {"x": False}) == "x"


@pytest.mark.parametrize(
    ("issuer", "rules"),
    [
        (GITHUB, {"repository": ("acme/app",)}),
        (GITHUB, {"repository": ("acme/*",), "ref": ("**",)}),
        (GITHUB, {"repository_owner_id": ("99",)}),
        (GITHUB, {"sub": ("repo:acme/**",)}),
        (GITLAB, {"project_id": ("7", "8")}),
        (OTHER, {"sub": ("service-account-7",)}),
        (OTHER, {"organization": ("acme",)}),
    ],
)
def test_enough(issuer: str, rules: dict[str, tuple[str, ...]]) -> None:
    assert rule_problems(issuer, rules) == []


@pytest.mark.parametrize(
    ("issuer", "rules"),
    [
        (GITHUB, {}),
        (GITHUB, {"ref": ("refs/heads/main",)}),
        (GITHUB, {"environment": ("release",)}),
        (GITHUB, {"repository": ("*",)}),
        (GITHUB, {"repository": ("**",)}),
        (GITHUB, {"repository": ("*/app",)}),
        (GITHUB, {"repository": ("acme/app", "*/app")}),
        (GITHUB, {"repository": ("acm?/app",)}),
        (GITHUB, {"repository": ()}),
        (GITHUB, {"repository": ("",)}),
        (GITHUB, {"repository_owner": ("acm*",)}),
        (GITHUB, {"repository_id": ("12*",), "repository": ("acme/app",)}),
        (GITHUB, {"sub": ("repo:*",)}),
        (GITHUB, {"project_path": ("acme/app",)}),
        # A public workflow can be called from a stranger's repository.
        (GITHUB, {"job_workflow_ref": ("acme/app/.github/workflows/release.yml@refs/heads/main",)}),
        (GITLAB, {"ci_config_ref_uri": ("gitlab.com/acme/app//.gitlab-ci.yml@refs/heads/main",)}),
        (OTHER, {"ref": ("refs/heads/main",), "aud": ("pypid",)}),
    ],
)
def test_not_enough(issuer: str, rules: dict[str, tuple[str, ...]]) -> None:
    assert rule_problems(issuer, rules)


def test_what_somebody_else_can_register_again() -> None:
    assert "repository_owner_id" in rule_warnings(GITHUB, {"repository": ("acme/app",)})[0]
    assert "project_id" in rule_warnings(GITLAB, {"project_path": ("acme/app",)})[0]
    assert rule_warnings(GITHUB, {"repository": ("acme/app",), "repository_owner_id": ("99",)}) == []
    assert rule_warnings(OTHER, {"sub": ("x",)}) == []


def test_endless_integer_has_no_text() -> None:
    assert unmet({"x": ("1",)}, {"x": 10**5000}) == "x"
