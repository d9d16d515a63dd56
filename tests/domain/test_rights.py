"""Grants, and what follows from them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.names import NormalizedName
from pypid.domain.rights import NOBODY, Grant, GrantProblem, Identity, Right, Rights, parse_grant

DEMO, PAY = NormalizedName("demo"), NormalizedName("acme-pay-core")
ALICE, BOB = Identity("alice", frozenset({"payments"})), Identity("bob")


def rights(**grants: list[str]) -> Rights:
    return Rights(grants={Right(name): [parse_grant(text) for text in texts] for name, texts in grants.items()})


@pytest.mark.parametrize(
    ("text", "grant"),
    [
        ("anonymous", Grant("anonymous")),
        ("@payments acme-pay-*", Grant("@payments", only=("acme-pay-*",))),
        ("bob Acme_Pay.* !acme-pay-core", Grant("bob", only=("acme-pay-*",), not_=("acme-pay-core",))),
        ("authenticated !acme-*", Grant("authenticated", not_=("acme-*",))),
    ],
)
def test_read(text: str, grant: Grant) -> None:
    assert parse_grant(text) == grant


@pytest.mark.parametrize("text", ["", "  ", "@", "!bob", "bob acme/x", "bob !", "bob [a-z]*", "bob caf\u00e9"])
def test_refused(text: str) -> None:
    with pytest.raises(GrantProblem):
        parse_grant(text)


def test_nothing_stated_is_nothing_allowed() -> None:
    for right in Right:
        assert not rights().allow(ALICE, right, DEMO)
        assert not rights().allow(NOBODY, right, None)


def test_anonymous_is_everybody_and_authenticated_is_not_nobody() -> None:
    given_ = rights(read=["anonymous"], upload=["authenticated"])
    assert given_.allow(NOBODY, Right.READ, DEMO)
    assert given_.allow(BOB, Right.READ, DEMO)
    assert not given_.allow(NOBODY, Right.UPLOAD, DEMO)
    assert given_.allow(BOB, Right.UPLOAD, DEMO)
    assert not given_.allow(BOB, Right.DELETE, DEMO)


def test_team_with_projects_of_its_own() -> None:
    given_ = rights(upload=["authenticated !acme-pay-*", "@payments acme-pay-*"])
    assert given_.allow(ALICE, Right.UPLOAD, PAY)
    assert not given_.allow(BOB, Right.UPLOAD, PAY)
    assert given_.allow(BOB, Right.UPLOAD, DEMO)


def test_user_is_no_group_of_his_name_and_no_keyword() -> None:
    """Somebody called "anonymous" or "@x" in the htpasswd file gets nothing by that."""
    given_ = rights(admin=["@root"])
    assert not given_.allow(Identity("root"), Right.READ, DEMO)
    assert not given_.allow(Identity("@root"), Right.ADMIN, DEMO)
    assert not rights(upload=["alice"]).allow(Identity("anonymous"), Right.UPLOAD, DEMO)


def test_index_as_a_whole_is_for_who_may_see_any_of_it() -> None:
    given_ = rights(read=["bob acme-*"])
    assert given_.allow(BOB, Right.READ, None)
    assert not given_.allow(NOBODY, Right.READ, None)
    assert not given_.allow_all(BOB, Right.READ)
    assert given_.allow_all(Identity("root", is_operator=True), Right.ADMIN)


def test_public() -> None:
    assert rights(read=["anonymous"]).is_public(Right.READ)
    assert not rights(read=["anonymous !acme-*"]).is_public(Right.READ)
    assert not rights(read=["authenticated"]).is_public(Right.READ)


whos = st.sampled_from(["anonymous", "authenticated", "alice", "bob", "@payments", "@other"])
patterns = st.sampled_from(["", " acme-*", " !acme-*", " demo", " *", " !*"])
some_grants = st.lists(st.builds(lambda who, pattern: parse_grant(who + pattern), whos, patterns), max_size=4)
some_rights = st.builds(lambda grants: Rights(grants=grants), st.dictionaries(st.sampled_from(Right), some_grants))
projects = st.sampled_from([DEMO, PAY, None])


@given(some_rights, projects)
def test_admin_has_all_and_every_right_implies_reading(given_: Rights, project: NormalizedName | None) -> None:
    for identity in (ALICE, BOB, NOBODY):
        for right in Right:
            if given_.allow(identity, right, project):
                assert given_.allow(identity, Right.READ, project)
        if given_.allow(identity, Right.ADMIN, project):
            assert all(given_.allow(identity, right, project) for right in Right)


@given(some_rights, projects, st.sampled_from(Right))
def test_signing_in_never_takes_a_right_away(given_: Rights, project: NormalizedName | None, right: Right) -> None:
    if given_.allow(NOBODY, right, project):
        assert given_.allow(ALICE, right, project)
    if given_.is_public(right):
        assert given_.allow(NOBODY, right, project)


@given(some_rights, st.sampled_from(Right))
def test_who_has_no_right_to_the_index_has_none_to_a_project(given_: Rights, right: Right) -> None:
    for identity in (ALICE, BOB, NOBODY):
        if given_.allow(identity, right, DEMO):
            assert given_.allow(identity, right, None)
