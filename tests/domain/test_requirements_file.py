"""pip's requirements files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.requirements_file import Include, parse_requirement, parse_requirements
from tests.domain.strategies import hostile_texts, patient

A, B = "a" * 64, "b" * 64


def read(text: str) -> list[str]:
    """What is wanted, in pip's own words."""
    found = parse_requirements(text, "r.txt")
    assert found.problems == ()
    return [str(one) for one in found.wanted]


def test_requirements() -> None:
    """With markers, extras, comments, spaces, a byte order mark and whatever line ends."""
    found = parse_requirements(
        "\ufeff# top\r\n\n  Zope.Interface [x,Y] >= 5, <7 ; python_version < '4'  # why\n demo", "r"
    )
    first, second = found.wanted
    assert (first.project, str(first.specifier), first.extras) == ("zope-interface", "<7,>=5", frozenset({"x", "y"}))
    assert str(first.marker) == 'python_version < "4"'
    assert (first.asked_by, second.asked_by) == ("r:3", "r:4")
    assert (second.project, second.marker, second.prereleases) == ("demo", None, False)


def test_hashes_on_continued_lines() -> None:
    """What ``pip-compile`` and ``uv pip compile`` write."""
    text = f"demo==1.0 \\\n    --hash=sha256:{A} \\\n    --hash sha256:{B.upper()}\n    # via x\nother==2 --hash=md5:ff"
    demo, other = parse_requirements(text, "r.txt").wanted
    assert (demo.sha256s, demo.asked_by) == (frozenset({A, B}), "r.txt:1")
    assert (other.sha256s, other.asked_by) == (frozenset(), "r.txt:5")


def test_continued_lines() -> None:
    assert read("demo\\\n==1\\\n.0") == ["demo==1.0"]
    assert read("demo \\\n# a comment ends it \\\nother") == ["demo", "other"]
    assert read("# no continuation \\\ndemo") == ["demo"]
    assert read("demo\\") == ["demo"]
    assert read("demo#not-a-comment\n"[:4]) == ["demo"]


def test_includes() -> None:
    """Relative paths, in quotes if they have spaces."""
    found = parse_requirements("-r base.txt\n--requirement=a/b.txt\n-c 'c d.txt'\n--constraint ../e.txt", "r.txt")
    assert found.includes == (
        Include("base.txt", constraints=False),
        Include("a/b.txt", constraints=False),
        Include("c d.txt", constraints=True),
        Include("../e.txt", constraints=True),
    )


def test_other_options_of_pip() -> None:
    """Those that choose indexes mean nothing here; --pre does."""
    options = "-i https://a/simple --extra-index-url=b -f c --no-index --trusted-host d --only-binary :all: --pre"
    (one,) = parse_requirements(f"{options}\ndemo --config-settings=x=y", "r.txt").wanted
    assert one.prereleases


@pytest.mark.parametrize(
    "line",
    [
        "-e .[test]",
        "--editable=git+https://example.test/x#egg=x",
        "./wheels/demo-1.0-py3-none-any.whl",
        "demo-1.0.tar.gz",
        "../other",
        "https://example.test/demo.zip",
        "git+ssh://git@example.test/x@main",
        "demo @ https://example.test/demo.whl",
        "demo @ file:///demo ; python_version > '3'",
        r"C:\demo",
    ],
)
def test_what_no_index_has_is_skipped(line: str) -> None:
    """And said."""
    found = parse_requirements(f"\n{line}", "r.txt")
    assert (found.wanted, found.problems) == ((), ())
    (said,) = found.skipped
    assert said.startswith("r.txt:2: ")
    assert said.endswith("is not from an index")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("demo 1.0", "'demo 1.0' is no requirement: Expected"),
        ("demo==", "'demo==' is no requirement: "),
        ("demo=1.0", "'demo=1.0' is no requirement: "),
        ("demo --frobnicate", "unrecognized arguments: --frobnicate"),
        ("-r", "argument -r/--requirement: expected one argument"),
        ("-r 'x", "No closing quotation"),
        ("${NAME}", "is no requirement: "),
    ],
)
def test_what_makes_no_sense_is_a_problem(line: str, problem: str) -> None:
    found = parse_requirements(f"demo\n{line}", "r.txt")
    (said,) = found.problems
    assert said.startswith("r.txt:2: ")
    assert problem in said
    assert "\n" not in said


@patient
@given(st.text(st.sampled_from("-rce=\\#'\"[]<>=;@:./ \n\tdemo1") | st.characters(), max_size=60) | hostile_texts)
def test_any_text_is_read_or_a_problem(text: str) -> None:
    found = parse_requirements(text, "r.txt")
    assert all(line.startswith("r.txt:") for line in (*found.problems, *found.skipped))


def test_one_requirement() -> None:
    """As on the command line."""
    one = parse_requirement("requests[socks]>=2", "test")
    assert one is not None
    assert str(one) == "requests>=2"
    assert parse_requirement("./requests", "test") is None
    with pytest.raises(ValueError, match="no requirement"):
        parse_requirement("", "test")
