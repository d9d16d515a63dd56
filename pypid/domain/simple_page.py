"""What the JSON and the HTML form of a project page have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

from pypid.domain.digests import checked_digest
from pypid.domain.filenames import UnknownFilename, parse_filename
from pypid.domain.files import DistributionFile, ProjectStatus, Status
from pypid.domain.names import NormalizedName, shorten
from pypid.domain.reach import AllowedHosts, host_of

MAX_FILES = 200_000
"""Entries of one page. The longest pages of PyPI have between 10 000 and 20 000."""

MAX_REASON_LENGTH = 1000
"""Characters. Of a longer text for people (why a file is yanked, a project archived) the rest is cut off."""

MAX_SPECIFIER_LENGTH = 1000
"""Characters of a Requires-Python, which has some ten of them in earnest."""

MAX_URL_LENGTH = 8192
"""Characters. What most servers take; signed URLs have up to 2000."""

NAMES_AT_ONCE = 5_000
"""Of a project list, rendered at once: a few milliseconds."""

MAX_PROVENANCE_LENGTH = 2000
"""Characters. pydantic, and so pypi-simple, refuses a page with a longer URL than 2083."""

MAX_BASE_LENGTH = 1000
"""Characters of what relative URLs start with, without its query: each of 200 000 files would have a copy."""

MAX_HOSTS = 20
"""Hosts that a log or an answer names at a time."""

MAX_HOST_LENGTH = 253
"""Characters of the longest host that DNS can have."""

MAX_DROPPED_LINES = 3
"""Entries of which it is said why they were left out: old projects have hundreds of .exe and .egg, all alike."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
# Printable ASCII. The backslash is a slash to browsers and none to RFC 3986.
_URL = re.compile(r"[!-\[\]-~]+")
_NETLOC = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z_](?:[0-9A-Za-z._-]*[0-9A-Za-z_])?))(?::[0-9]*)?")
_SLASHES = re.compile(r"[/\\]")
_NUMBER = re.compile("[0-9]+|0[xX][0-9A-Fa-f]*")


class InvalidPage(ValueError):
    """The document is no page of the Simple API, or of a version that we cannot read."""


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """What can be used of an upstream's project page."""

    files: tuple[DistributionFile, ...]
    """Each with its `origin`."""
    versions: tuple[str, ...]
    """As upstream names them, else those of the files; oldest first."""
    dropped: tuple[str, ...]
    """One line for each entry that was left out, saying why; at most `MAX_DROPPED_LINES` and "and N more"."""
    status: ProjectStatus | None = None
    refused_hosts: tuple[str, ...] = ()
    """Whose files were left out, because nobody has allowed them."""
    serial: int | None = None
    """Which of upstream's changes it shows."""


class Sieve:
    """Keeps the entries of a page that are files of one project and may be fetched."""

    def __init__(self, project: NormalizedName, *, base: str, allowed: AllowedHosts, upstream: str = "") -> None:
        """
        ``base``: the absolute URL that the page's links are relative to; its userinfo is not handed on.

        ``upstream``: what tells its files from another's where no sha256 does.

        Raises `InvalidPage` for one that is too long.
        """
        parts = urlsplit(base)
        self._base = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
        if len(self._base) > MAX_BASE_LENGTH:
            raise InvalidPage(f"what its links are relative to is longer than {MAX_BASE_LENGTH} characters")
        self._project = project
        self._allowed = allowed
        self._upstream = upstream
        self._refused: dict[str, None] = {}
        self._kept: dict[str, DistributionFile] = {}
        self._disputed: set[str] = set()
        self._lines: list[str] = []
        self._unsaid = 0
        self._seen = 0

    def offer(self, entry: DistributionFile) -> None:
        """
        Keep ``entry`` if it holds what it must, else remember why not.

        Its texts may be anything: ``origin`` the link as written, ``sha256``
        and ``other_digest`` what is claimed to be one. Raises `InvalidPage` for
        too many.
        """
        self._count()
        try:
            self._check_filename(entry.filename)
            _check_requires_python(entry.requires_python)
            sha256 = _checked_sha256(entry.sha256)
            verified = sha256 is not None and entry.verified
            file = replace(
                entry,
                sha256=sha256,
                verified=verified,
                other_digest=None if sha256 is not None else checked_digest(entry.other_digest),
                upstream="" if verified else self._upstream,
                origin=self._checked_url(_absolute(self._base, entry.origin)),
                yanked=None if entry.yanked is None else entry.yanked[:MAX_REASON_LENGTH],
            )
        except ValueError as e:
            self._say(shorten(entry.filename), str(e))
        else:
            self._keep(file)

    def drop(self, entry: str, why: str) -> None:
        """Remember that ``entry``, in words for people, could not even be offered."""
        self._count()
        self._say(entry, why)

    def files(self) -> tuple[DistributionFile, ...]:
        """
        Return what was kept, in the page's order.

        Raises `InvalidPage` where nothing was, for the sake of its hosts: a
        project must not look empty because a setting is missing.
        """
        if self._refused and not self._kept:
            hosts = ", ".join(self.refused_hosts())
            raise InvalidPage(f"all its files are on hosts that allow_hosts does not name: {hosts}")
        return tuple(self._kept.values())

    def refused_hosts(self) -> tuple[str, ...]:
        """Return the hosts whose files were left out, the first `MAX_HOSTS` of them, as `allow_hosts` names them."""
        return tuple(self._refused)

    def dropped(self) -> tuple[str, ...]:
        return (*self._lines, f"and {self._unsaid} more") if self._unsaid else tuple(self._lines)

    def _count(self) -> None:
        self._seen += 1
        if self._seen > MAX_FILES:
            raise InvalidPage(f"the page has more than {MAX_FILES} files")

    def _checked_url(self, url: str) -> str:
        _check_path(urlsplit(url).path)
        if not self._allowed.allow(url):
            host = host_of(url)[:MAX_HOST_LENGTH]
            if len(self._refused) < MAX_HOSTS:
                self._refused[host] = None
            raise ValueError(f"it is on {host}, a host that allow_hosts does not name")
        return url

    def _check_filename(self, filename: str) -> None:
        owner = parse_filename(filename).project
        if owner != self._project:
            raise UnknownFilename(f"it belongs to the project {owner}")
        if filename in self._disputed:
            raise UnknownFilename("it is listed again, after entries that disagree on its digest")

    def _keep(self, file: DistributionFile) -> None:
        known = self._kept.setdefault(file.filename, file)
        if known.identity != file.identity:
            # Neither can be told to be the right one.
            del self._kept[file.filename]
            self._disputed.add(file.filename)
            self._say(shorten(file.filename), f"it is listed with two digests, {_digest(known)} and {_digest(file)}")

    def _say(self, entry: str, why: str) -> None:
        if len(self._lines) < MAX_DROPPED_LINES:
            self._lines.append(f"{entry}: {why}")
        else:
            self._unsaid += 1


def relative_url(project: NormalizedName, file: DistributionFile, up: str = "../../") -> str:
    """
    Return the file's URL as seen from the project page, right under every host, prefix and proxy.

    ``up``: from the page to where the index begins.
    """
    return f"{up}files/{project}/{file.digest_prefix}/{quote(file.filename, safe='')}"


def require_version_1(version: str | None) -> None:
    """
    Raise `InvalidPage` unless ``version`` (``major.minor``) is one that we can read.

    A page that names none is version 1.0, and a higher minor is readable (PEP 629).
    """
    if version is not None and version.strip().partition(".")[0] != "1":
        raise InvalidPage(f"the page is version {shorten(version)} of the Simple API; pypid reads version 1 only")


def known_sha256(claim: str | None) -> str | None:
    """Return ``claim`` in lower case if it is a sha256."""
    digest = (claim or "").lower()
    return digest if _SHA256.fullmatch(digest) else None


def known_requires_python(text: str | None) -> str | None:
    return text if text and not text.isspace() else None


def known_provenance(url: str | None) -> str | None:
    """Return ``url`` if it is an absolute https URL, the only kind that PEP 740 has."""
    if not url or not url.lower().startswith("https://"):
        return None
    if len(url) > MAX_PROVENANCE_LENGTH or "xn--" in url.lower():
        return None  # readers disagree on which names are proper punycode, and strict ones lose the whole page
    try:
        return _absolute(url, url)
    except ValueError:
        return None


def known_status(status: object, reason: object) -> ProjectStatus | None:
    """Return what a page says of its project, if it is one of the statuses that PEP 792 has."""
    try:
        known = Status(status)
    except ValueError:
        return None
    if not isinstance(reason, str) or not reason or reason.isspace():
        return ProjectStatus(known)
    return ProjectStatus(known, reason[:MAX_REASON_LENGTH])


def known_serial(claim: object) -> int | None:
    """Return ``claim`` if it counts something, and fits a database."""
    return claim if isinstance(claim, int) and not isinstance(claim, bool) and 0 <= claim < 2**63 else None


def known_time(text: str | None) -> datetime | None:
    """Return an ISO 8601 time in UTC, which one without an offset is taken to be in; None if it is no time."""
    try:
        time = datetime.fromisoformat(text or "")
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def encodable(text: str) -> str:
    """
    Return ``text`` with a question mark for each lone surrogate.

    UTF-8 has none, and written as an escape one would cost strict JSON readers (uv) the whole page.
    """
    return text.encode(errors="replace").decode()


def _check_requires_python(text: str | None) -> None:
    # Neither cut off nor left out: both would let installers take the file that should not.
    if text is not None and len(text) > MAX_SPECIFIER_LENGTH:
        raise ValueError(f"its requires-python has more than {MAX_SPECIFIER_LENGTH} characters")


def _checked_sha256(claim: str | None) -> str | None:
    """Return the digest, None where none is claimed. Raises ValueError: a wrong one is worse than none."""
    digest = known_sha256(claim)
    if digest is None and claim:
        raise ValueError(f"its sha256 is {shorten(claim)}, not 64 hex digits")
    return digest


def _digest(file: DistributionFile) -> str:
    return file.sha256 or str(file.other_digest or "none")


def _absolute(base: str, link: str | None) -> str:
    """Return ``link`` as an absolute http(s) URL without fragment; raises ValueError with a reason."""
    if not link or _URL.fullmatch(link) is None:
        # Before joining, because urllib silently removes control characters.
        raise ValueError(f"its URL {shorten(link or '')} is empty or has characters that no URL has")
    if len(link) > MAX_URL_LENGTH:
        raise ValueError(f"its URL has more than {MAX_URL_LENGTH} characters")
    url = urldefrag(urljoin(base, link)).url
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or _URL.fullmatch(url) is None:
        raise ValueError(f"its URL {shorten(link)} is not one of http or https")
    if "@" in parts.netloc:
        raise ValueError("its URL contains a user name")
    if parts.port == 0:  # reading it raises ValueError for one that is no number or too large
        raise ValueError("its URL has port 0")
    _check_host(parts.netloc)
    return url


def _check_path(path: str) -> None:
    """Raise ValueError for one that a server may take for another: what it hides is for no client to have."""
    plain = unquote(path)
    if ".." in _SLASHES.split(plain) or not plain.isprintable():
        raise ValueError("its URL hides dots or control characters in its path")


def _check_host(netloc: str) -> None:
    """Raise ValueError for a host that strict readers refuse, and with it the whole page."""
    match = _NETLOC.fullmatch(netloc)
    if match is None:
        raise ValueError(f"its URL has the host {shorten(netloc)}")
    ipv6, name = match.groups()
    if ipv6 is not None:
        IPv6Address(ipv6)
    elif _NUMBER.fullmatch(name.rpartition(".")[2]):
        IPv4Address(name)  # whose last part is a number can be nothing else (WHATWG)
