"""Hypothesis strategies for distribution files, and the independent readers that their pages are checked with."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

from hypothesis import settings
from hypothesis import strategies as st

from pypid.domain.files import DistributionFile, ProjectPage, ProjectStatus, Status, versions_of
from pypid.domain.names import normalize_name
from pypid.domain.reach import AllowedHosts
from pypid.domain.simple_page import relative_url

DEMO = normalize_name("demo")
URL = "https://index.test/root/simple/demo/"
ANYWHERE = AllowedHosts([URL], ["*", "*:80", "*:8080", "*:8443"])

patient = settings(deadline=None)
"""For properties: what is slow on a busy machine is not wrong."""

# Markup, quotes, line ends, C0 and C1 controls, bidirectional overrides, line separators, astral characters.
NASTY = "<>&\"'`=/#; \t\n\r\x01\x1f\x7f\x80\x85\u202e\u2066\u2028\ufeff\ufffd\U0001f4a9ab&lt;&#13;</script>-->"
hostile_texts = st.text(st.sampled_from(NASTY) | st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
versions = st.from_regex(r"(?:[1-9]!)?[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}(?:rc[0-9])?(?:\+local\.1)?", fullmatch=True)

# What a wheel's platform tag may hold, which includes markup and percent signs.
_tags = st.text([c for c in string.printable[:94] if c not in "/\\-."], min_size=1, max_size=12)
filenames = st.builds("demo-{}-py3-none-{}.whl".format, versions, _tags) | st.builds("demo-{}.tar.gz".format, versions)

_visible_texts = hostile_texts.filter(lambda text: bool(text) and not text.isspace())
_provenances = st.text("<>\"'&=%+~a1", max_size=12).map("https://files.test/{}/provenance".format)
_statuses = st.builds(
    ProjectStatus,
    st.sampled_from([status for status in Status if status is not Status.QUARANTINED]),
    st.none() | _visible_texts,
)
distribution_files = st.builds(
    DistributionFile,
    filename=filenames,
    sha256=digests,
    size=st.none() | st.integers(0, 1 << 40),
    upload_time=st.none() | st.datetimes(timezones=st.just(UTC)),
    requires_python=st.none() | _visible_texts,
    yanked=st.none() | hostile_texts,
    core_metadata=st.none() | digests,
    provenance=st.none() | _provenances,
)


def page_of(*files: DistributionFile, status: ProjectStatus | None = None) -> ProjectPage:
    return ProjectPage(name=DEMO, files=files, revision="1", versions=versions_of(files), status=status)


pages = st.builds(
    lambda files, status: page_of(*files, status=status),
    st.lists(distribution_files, max_size=5, unique_by=lambda file: file.filename),
    st.none() | _statuses,
)


def a_file(
    filename: str = "demo-1.0.tar.gz",
    sha256: str = "ab" * 32,
    *,
    requires_python: str | None = None,
    yanked: str | None = None,
) -> DistributionFile:
    return DistributionFile(
        filename=filename,
        sha256=sha256,
        size=7,
        upload_time=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        requires_python=requires_python,
        yanked=yanked,
    )


def as_mirrored(file: DistributionFile) -> DistributionFile:
    """Return ``file`` as another index knows it that has read our page at `URL`."""
    path = relative_url(DEMO, file).removeprefix("../../")
    return replace(file, origin=f"https://index.test/root/{path}")


class HTMLReader(HTMLParser):
    """Every tag and all text outside tags."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(body.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data
