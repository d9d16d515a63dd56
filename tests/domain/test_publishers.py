"""P10: what a trusted publisher may do, and in which name."""

from __future__ import annotations

from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.publishers import Publisher, matching, may, told, user_of
from pypid.domain.rights import Right
from pypid.domain.tokens import Token

MAIN, OTHER = IndexName("main"), IndexName("other")
APP, LIB = NormalizedName("app"), NormalizedName("lib")
ISSUER = "https://issuer.test"


def publisher(name: str = "app", **changed: object) -> Publisher:
    values = {"issuer": ISSUER, "index": MAIN, "projects": ("app",), "claims": {"sub": ("acme",)}}
    return Publisher(name=name, **values | changed)  # type: ignore[arg-type]


def token(*publishers: str, projects: tuple[str, ...] = ("app",)) -> Token:
    return Token(
        id="t",
        user="publisher:app ()",
        rights=frozenset({Right.UPLOAD}),
        index=MAIN,
        projects=projects,
        publishers=publishers,
        created_at=0,
    )


def test_uploads_its_projects_and_nothing_else() -> None:
    asked = publisher()
    assert asked.covers(MAIN, Right.UPLOAD, APP)
    assert asked.covers(MAIN, Right.READ, APP)
    assert asked.covers(MAIN, Right.UPLOAD, None)
    assert not asked.covers(MAIN, Right.UPLOAD, LIB)
    assert not asked.covers(OTHER, Right.UPLOAD, APP)
    assert not asked.covers(MAIN, Right.DELETE, APP)
    assert not asked.covers(MAIN, Right.ADMIN, None)


def test_token_allows_what_it_and_its_publisher_do() -> None:
    """D05: a reload that takes a publisher away, or a project from it, takes effect at once."""
    assert may(token("app"), {"app": publisher()}, MAIN, Right.UPLOAD, APP)
    assert not may(token("app"), {}, MAIN, Right.UPLOAD, APP)
    assert not may(token("app"), {"app": publisher(projects=("lib",))}, MAIN, Right.UPLOAD, APP)
    assert not may(token("app"), {"app": publisher(projects=("*",))}, MAIN, Right.UPLOAD, LIB)
    assert not may(token("app"), {"app": publisher()}, MAIN, Right.DELETE, APP)
    assert not may(token(), {"app": publisher()}, MAIN, Right.UPLOAD, APP)


def test_token_of_two_publishers() -> None:
    both = {"app": publisher(), "lib": publisher("lib", projects=("lib",))}
    made = token("app", "lib", projects=("app", "lib"))
    assert may(made, both, MAIN, Right.UPLOAD, APP)
    assert may(made, both, MAIN, Right.UPLOAD, LIB)
    assert not may(made, {"app": both["app"]}, MAIN, Right.UPLOAD, LIB)


def test_same_claims_of_another_issuer_are_another_matter() -> None:
    assert matching([publisher()], ISSUER, {"sub": "acme"}) == [publisher()]
    assert matching([publisher()], "https://evil.test", {"sub": "acme"}) == []
    assert matching([publisher()], ISSUER, {"sub": "evil"}) == []


def test_names() -> None:
    claims = {"repository": "acme/app", "ref": "refs/tags/v1", "sub": "repo:acme/app"}
    assert user_of([publisher()], claims) == "publisher:app (acme/app@refs/tags/v1)"
    assert user_of([publisher(), publisher("lib")], {"sub": "x"}) == "publisher:app+lib (x)"
    assert user_of([publisher()], {"repository": "a\nb", "project_path": 7}) == "publisher:app ()"
    assert len(user_of([publisher()], {"sub": "x" * 10_000})) < 300
    assert told(claims) == "repository 'acme/app', sub 'repo:acme/app', ref 'refs/tags/v1'"
