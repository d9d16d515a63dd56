"""What the upload form says of a file, held to what the file says itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from pypid.domain.filenames import FileKind
from pypid.domain.names import shorten
from pypid.domain.validation.findings import Findings, Weight
from pypid.domain.validation.metadata_fields import Fields

_SHOWN = 3
"""Requirements that one message names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a form says that installers would have to know; name and version are held to the filename before."""

    requires_python: str | None = None
    """None: nothing is said of it."""
    requires_dist: tuple[str, ...] = ()
    """Empty: nothing is said of them."""


NO_CLAIMS = Claims()


def check_claims(claims: Claims, fields: Fields, kind: FileKind, findings: Findings) -> None:
    """
    Note where ``claims`` contradict ``fields``.

    An sdist of a metadata version before 2.2 may leave to its build what the
    form knows already.
    """
    may_be_silent = kind is FileKind.SDIST and not _is_final(fields)
    own = fields.raw.get("requires_python")
    if _contradicts(claims.requires_python, own) and not (may_be_silent and own is None):
        findings.add(
            Weight.FORM,
            f"Requires-Python is {shorten(claims.requires_python or '')} in the form, "
            f"{shorten(own or '')} in the file.",
        )
    dependencies = fields.raw.get("requires_dist", [])
    if claims.requires_dist and not (may_be_silent and not dependencies):
        _compare_dependencies(_requirements(claims.requires_dist), _requirements(dependencies), findings)


def _contradicts(claimed: str | None, own: str | None) -> bool:
    return claimed is not None and _specifier(claimed) != _specifier(own or "")


def _compare_dependencies(claimed: dict[object, str], own: dict[object, str], findings: Findings) -> None:
    sides = (("form", claimed, own), ("file", own, claimed))
    differences = [f"only the {side} has {_some(ours, theirs)}" for side, ours, theirs in sides if ours.keys() - theirs]
    if differences:
        findings.add(Weight.FORM, f"Requires-Dist of the form is not that of the file: {', '.join(differences)}.")


def _some(ours: dict[object, str], theirs: dict[object, str]) -> str:
    texts = [text for key, text in ours.items() if key not in theirs]
    shown = ", ".join(map(shorten, texts[:_SHOWN]))
    return shown if len(texts) <= _SHOWN else f"{shown} and {len(texts) - _SHOWN} more"


def _is_final(fields: Fields) -> bool:
    """Say whether an sdist's metadata is that of every wheel built from it (PEP 643)."""
    version = fields.raw.get("metadata_version", "")
    dynamic = {field.lower() for field in fields.raw.get("dynamic", [])}
    return version not in {"1.0", "1.1", "1.2", "2.0", "2.1"} and not dynamic & {"requires-dist", "requires-python"}


def _specifier(text: str) -> str:
    """Return the one way to write ``text``, but for zeros at a version's end."""
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        return text


def _requirements(texts: Iterable[str]) -> dict[object, str]:
    """Return each requirement under a key that is the same for every way to write it."""
    return {_requirement_key(text): text for text in texts}


def _requirement_key(text: str) -> object:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return " ".join(text.split())
    return (
        canonicalize_name(requirement.name),
        frozenset(map(canonicalize_name, requirement.extras)),
        str(requirement.specifier),
        requirement.url,
        str(requirement.marker),
    )
