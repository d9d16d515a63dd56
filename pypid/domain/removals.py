"""The form that asks for the deletion of a release: an invention of pypiserver's."""

from __future__ import annotations

from packaging.version import Version

from pypid.domain.errors import UploadRefused
from pypid.domain.names import InvalidName, NormalizedName, normalize_name, shorten
from pypid.domain.subject import Subject
from pypid.domain.uploads import Form


def read_removal(form: Form) -> Subject:
    """Return which release is meant, in whatever spelling. Raises `UploadRefused` with every problem at once."""
    problems: list[str] = []
    name, version = _name(form, problems), _version(form, problems)
    if name is None or version is None:
        raise UploadRefused(problems)
    return Subject(project=name, version=version)


def _name(form: Form, problems: list[str]) -> NormalizedName | None:
    text = _text(form, "name", problems)
    try:
        return None if text is None else normalize_name(text)
    except InvalidName as e:
        problems.append(f"name: {e}.")
    return None


def _version(form: Form, problems: list[str]) -> Version | None:
    text = _text(form, "version", problems)
    try:
        return None if text is None else Version(text)
    except ValueError:  # InvalidVersion is one; so is what int() raises for more than 4300 digits
        problems.append(f"version: {shorten(text or '')} is no version.")
    return None


def _text(form: Form, field: str, problems: list[str]) -> str | None:
    values = [value for value in form.get(field, ()) if value.strip()]
    if len(values) == 1:
        return values[0]
    problems.append(f"{field}: given {len(values)} times." if values else f"{field}: missing.")
    return None
