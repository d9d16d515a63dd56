"""Grants and tokens, taken together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.permissions import Permissions
from pypid.domain.publishers import Publisher
from pypid.domain.rights import Identity, Right, Rights, parse_grant
from pypid.domain.tokens import Token

MAIN, OTHER = IndexName("main"), IndexName("other")
DEMO, ACME = NormalizedName("demo"), NormalizedName("acme-x")
RIGHTS = Rights(grants={Right.UPLOAD: [parse_grant("alice acme-*")], Right.READ: [parse_grant("authenticated")]})
APP = Publisher(name="app", issuer="https://issuer.test", index=MAIN, projects=("acme-*",), claims={})


def token(**values: object) -> Token:
    usual = {"id": "t1", "user": "alice", "rights": frozenset({Right.UPLOAD}), "created_at": 0.0}
    return Token(**usual | values)  # type: ignore[arg-type]


def held(held_token: Token | None, index: IndexName = MAIN, *publishers: Publisher) -> Permissions:
    identity = Identity("alice" if held_token is None else held_token.user, token=held_token)
    named = {publisher.name: publisher for publisher in publishers}
    return Permissions(index=index, rights=RIGHTS, identity=identity, publishers=named)


def test_token_allows_no_more_than_its_user_may() -> None:
    whole = held(token(rights=frozenset({Right.ADMIN})))
    assert whole.allow(Right.UPLOAD, ACME)
    assert not whole.allow(Right.UPLOAD, DEMO)
    assert not whole.allow(Right.DELETE, ACME)


def test_user_may_no_more_than_his_token_was_made_for() -> None:
    assert not held(token(rights=frozenset({Right.READ}))).allow(Right.UPLOAD, ACME)
    assert not held(token(projects=("demo",))).allow(Right.UPLOAD, ACME)
    assert not held(token(index=OTHER)).allow(Right.READ, ACME)
    assert held(token(index=OTHER), OTHER).allow(Right.UPLOAD, ACME)


def test_what_everybody_may_a_holder_of_a_token_may_as_well() -> None:
    public = Rights(grants={Right.READ: [parse_grant("anonymous !acme-*")]})
    of_acme = Permissions(index=MAIN, rights=public, identity=Identity("alice", token=token(projects=("acme-*",))))
    assert of_acme.allow(Right.READ, DEMO)
    assert not of_acme.allow(Right.READ, ACME)
    assert not of_acme.allow_all(Right.READ)


def test_publisher_needs_no_grant_and_goes_with_the_configuration() -> None:
    of_app = token(user="publisher:app", publishers=("app",), index=MAIN, projects=("acme-*",))
    assert held(of_app, MAIN, APP).allow(Right.UPLOAD, ACME)
    assert not held(of_app, MAIN, APP).allow(Right.UPLOAD, DEMO)
    assert not held(of_app, MAIN, APP).allow(Right.DELETE, ACME)
    assert not held(of_app, MAIN).allow(Right.UPLOAD, ACME)


def test_lists_are_whole_only_without_patterns() -> None:
    assert held(None).allow_all(Right.READ)
    assert held(token()).allow_all(Right.READ)
    assert not held(token(projects=("acme-*",))).allow_all(Right.READ)
    assert held(None).scope(Right.READ) != held(token()).scope(Right.READ)


rights = st.frozensets(st.sampled_from(Right), min_size=1)
tokens = st.builds(
    lambda given_rights, index, projects: token(rights=given_rights, index=index, projects=projects),
    rights,
    st.sampled_from([None, MAIN, OTHER]),
    st.sampled_from([(), ("acme-*",), ("demo",)]),
)


@given(tokens, st.sampled_from(Right), st.sampled_from([DEMO, ACME, None]), st.sampled_from([MAIN, OTHER]))
def test_never_more_than_without_the_token(
    held_token: Token, right: Right, project: NormalizedName | None, index: IndexName
) -> None:
    if held(held_token, index).allow(right, project):
        assert held(None, index).allow(right, project)
    if held(held_token, index).allow_all(right):
        assert held(None, index).allow_all(right)
        assert held(held_token, index).allow(right, project)
