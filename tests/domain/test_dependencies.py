"""What core metadata says is required."""

from __future__ import annotations

import pytest

from pypid.domain.dependencies import dependencies
from pypid.domain.targets import make_target, parse_platform

METADATA = b"""\
Metadata-Version: 2.1
Name: demo
Version: 1.0
Requires-Dist: Plain.One>=1
Requires-Dist: windows; sys_platform == "win32"
Requires-Dist: linux; sys_platform == "linux"
Requires-Dist: with-x[deep]; extra == "x"
Requires-Dist: linux-x; extra == "x" and sys_platform == "linux"
Requires-Dist: with-y; extra == "y"
Requires-Dist: direct @ https://example.test/direct.whl
Requires-Dist: not readable (at all
"""


def required(*extras: str) -> list[str]:
    target = make_target("3.12", parse_platform("win_amd64"))
    return [str(one) for one in dependencies(METADATA, target, extras=frozenset(extras), asked_by="demo")]


def test_dependencies() -> None:
    """Those of this platform, with the extras that were asked for; what cannot be had from an index is left out."""
    assert required() == ["plain-one>=1", "windows"]
    assert required("x") == ["plain-one>=1", "windows", "with-x"]
    assert required("x", "y") == ["plain-one>=1", "windows", "with-x", "with-y"]


@pytest.mark.parametrize(
    "text", [f"x=={'9' * 5000}", f"x; python_version > '{'9' * 5000}'", f"x; {'(' * 20_000}", "x" * 300, "\u202e", "@"]
)
def test_hostile_metadata(text: str) -> None:
    """Costs no more than the line it stands in."""
    target = make_target("3.12", parse_platform("win_amd64"))
    metadata = METADATA + f"Requires-Dist: {text}\nRequires-Dist: last\n".encode()
    found = [one.project for one in dependencies(metadata, target, extras=frozenset(), asked_by="demo")]
    assert found[:2] == ["plain-one", "windows"]
    assert found[-1] == "last"


def test_metadata_that_requires_nothing() -> None:
    target = make_target("3.12", parse_platform("win_amd64"))
    assert list(dependencies(b"\xff\0", target, extras=frozenset(), asked_by="demo")) == []
