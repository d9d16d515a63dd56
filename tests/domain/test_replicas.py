"""The same document at the other URLs of an index."""

from __future__ import annotations

import pytest

from pypid.domain.replicas import at_replicas

ONE, TWO, THREE = "https://one.test/pypi/simple/", "https://two.test/simple/", "http://three.test:8080/a/b/c/"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{ONE}demo/", [f"{ONE}demo/", f"{TWO}demo/", f"{THREE}demo/"]),
        (
            "https://one.test/pypi/files/x%2By.whl?a=../b",
            [
                "https://one.test/pypi/files/x%2By.whl?a=../b",
                "https://two.test/files/x%2By.whl?a=../b",
                "http://three.test:8080/a/b/files/x%2By.whl?a=../b",
            ],
        ),
        (
            "https://two.test/f/x:y",
            ["https://one.test/pypi/f/x:y", "https://two.test/f/x:y", "http://three.test:8080/a/b/f/x:y"],
        ),
        ("https://one.test/top", ["https://one.test/top", "https://two.test/top", "http://three.test:8080/a/top"]),
        ("https://cdn.test/x.whl", ["https://cdn.test/x.whl"]),
        ("http://one.test/pypi/simple/demo/", ["http://one.test/pypi/simple/demo/"]),
    ],
)
def test_it_lies_where_it_lies_seen_from_the_base(url: str, expected: list[str]) -> None:
    assert at_replicas(url, [ONE, TWO, THREE]) == expected


def test_two_bases_on_one_host_are_told_apart_by_their_paths() -> None:
    bases = ["https://one.test/a/simple/", "https://one.test/b/simple/"]
    assert at_replicas("https://one.test/b/simple/demo/", bases) == [f"{base}demo/" for base in bases]


def test_pages_of_links() -> None:
    bases = ["https://one.test/links.html", "https://two.test/x/links.html"]
    assert at_replicas(bases[0], bases) == bases
    assert at_replicas("https://one.test/f/demo.whl", bases)[1] == "https://two.test/x/f/demo.whl"
