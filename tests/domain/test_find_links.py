"""One page of links, as a page for each of its projects."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain import simple_html
from pypid.domain.files import DistributionFile
from pypid.domain.find_links import split
from pypid.domain.names import NormalizedName, normalize_name
from pypid.domain.simple_page import InvalidPage
from tests.domain.strategies import ANYWHERE, URL, hostile_texts, patient

SHA256 = "ab" * 32


def files_of(body: bytes, project: str) -> tuple[DistributionFile, ...]:
    name = normalize_name(project)
    return simple_html.parse_project(split(body)[name], url=URL, project=name, allowed=ANYWHERE).files


def test_each_project_has_its_own_files() -> None:
    body = f"""<html><body>
        <a href="../">up</a>
        <a href="demo-1.0-py3-none-any.whl#sha256={SHA256}" data-requires-python="&gt;=3.9" data-yanked="oops">x</a>
        <a href="sub/Acme_Pkg-2.0.tar.gz#md5={"cd" * 16}">y</a>
        <a href="demo-1.1%2Bcpu-py3-none-any.whl">z</a>
        <a href="notes.txt">n</a>
    """.encode()
    assert set(split(body)) == {"demo", "acme-pkg"}
    first, second = files_of(body, "demo")
    assert (first.filename, first.sha256) == ("demo-1.0-py3-none-any.whl", SHA256)
    assert (first.requires_python, first.yanked) == (">=3.9", "oops")
    assert (second.filename, second.verified) == ("demo-1.1+cpu-py3-none-any.whl", False)
    assert second.origin == f"{URL}demo-1.1%2Bcpu-py3-none-any.whl"
    (other,) = files_of(body, "acme.pkg")
    assert str(other.other_digest) == "md5=" + "cd" * 16


def test_links_start_at_the_base_of_the_page() -> None:
    body = b'<base href="https://files.test/x/"><a href="demo-1.0.tar.gz">demo</a>'
    (file,) = files_of(body, "demo")
    assert file.origin == "https://files.test/x/demo-1.0.tar.gz"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not a page",
        b"<html><h1>Sign in</h1><a href='/login'>here</a></html>",
        b"<html><a href='demo.exe'>demo</a></html>",
        b'<meta name="pypi:repository-version" content="2.0"><a href="demo-1.0.tar.gz">demo</a>',
    ],
)
def test_page_without_any_file_does_not_mean_that_all_projects_are_gone(body: bytes) -> None:
    with pytest.raises(InvalidPage):
        split(body)


@patient
@given(st.lists(st.tuples(st.sampled_from(["demo-1.0.tar.gz", "acme-2.0.tar.gz"]), hostile_texts), min_size=1))
def test_what_is_said_of_a_file_stays_as_it_was(links: list[tuple[str, str]]) -> None:
    """Text that looks like markup is not taken for any on the second reading."""
    whole = "".join(f'<a href="x/{name}" data-yanked="{escape(text)}">' for name, text in links)
    for name in {name for name, _ in links}:
        project = NormalizedName(name.partition("-")[0])
        page = f"<html>{whole}".encode()
        direct = simple_html.parse_project(page, url=URL, project=project, allowed=ANYWHERE)
        assert files_of(page, project) == direct.files
