"""The legacy upload API's form: what it must say, and whether it agrees with itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from pypid.domain.errors import UploadRefused
from pypid.domain.filenames import OLD_SDISTS, FileKind, ParsedFilename, UnknownFilename, parse_filename
from pypid.domain.form_actions import OFFERED, FormAction
from pypid.domain.headline import one_line
from pypid.domain.names import InvalidName, NormalizedName, normalize_name, shorten
from pypid.domain.validation.claims import Claims

DIGEST_LENGTHS = {"md5": 32, "sha256": 64, "blake2_256": 64}
"""Hex digits of each digest that the form may give, as ``<name>_digest``."""

MAX_FILENAME_LENGTH = 250
"""Characters. A file system's limit for a name, less the five of the ``.json`` of the file's sidecar."""

_BLAKE2B_LENGTH = 128
"""Hex digits of what distutils sends as blake2_256, a BLAKE2b of 512 bits; it sends sha256 and md5 beside it."""

_NOTHING = frozenset({"", "UNKNOWN"})
"""What a field that is empty may say; the second by old setuptools."""

_HEX = re.compile(r"[0-9a-f]+", re.ASCII | re.IGNORECASE)

_IN_FILENAMES = re.compile(r"[a-z0-9._+!-]*", re.ASCII | re.IGNORECASE)
"""What names, versions and tags consist of; most else means something in a URL, or in somebody's shell."""

_EXTENSIONS = (".whl", ".tar.gz", ".zip", *OLD_SDISTS)
"""What more than the extension decides on; the last is for `OLD_SDISTS` to refuse in its own words."""

Form = Mapping[str, tuple[str, ...]]
"""The text fields, each with its values in the order of the form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A form that agrees with itself and with the file's name."""

    project: NormalizedName
    version: Version
    kind: FileKind
    filename: str
    requires_python: str | None
    requires_dist: tuple[str, ...]
    summary: str | None
    digests: Mapping[str, str]
    """What the uploader says of the bytes, in lower-case hex; any subset of `DIGEST_LENGTHS`."""

    @property
    def claims(self) -> Claims:
        """What the form says that the file must say as well."""
        return Claims(requires_python=self.requires_python, requires_dist=self.requires_dist)

    def check_digests(self, digests: Mapping[str, str]) -> None:
        """Raise `UploadRefused` unless the bytes that came, whose ``digests`` these are, are those that were sent."""
        wrong = [
            f"The digest supplied does not match a digest calculated from the uploaded file: "
            f"{name} should be {claimed}, and is {digests[name]}."
            for name, claimed in self.digests.items()
            if claimed != digests[name]
        ]
        if wrong:
            raise UploadRefused(wrong)


def claims_of(form: Form) -> Claims:
    """Return what ``form`` says that the file must say as well, however much else is wrong with it."""
    said = [text for text in form.get("requires_python", ()) if text.strip() not in _NOTHING]
    return Claims(requires_python=said[0] if len(said) == 1 else None, requires_dist=_requires_dist(form))


def _requires_dist(form: Form) -> tuple[str, ...]:
    return tuple(text for text in form.get("requires_dist", ()) if text.strip() not in _NOTHING)


def read_upload(form: Form, filename: str | None, problems: Sequence[str] = ()) -> Upload:
    """
    Return what ``form`` says about the file that came with it as ``filename``.

    Raises `UploadRefused` with every problem at once, after the ``problems``
    that the body had before it was read as a form.
    """
    reader = _Reader(form, problems)
    reader.check_action()
    name, version, kind = reader.name(), reader.version(), reader.kind()
    parsed = reader.filename(filename)
    if parsed is not None:
        reader.compare(parsed, name, version, kind)
    requires_python, digests = reader.requires_python(), reader.digests()
    if reader.problems or filename is None or parsed is None:
        raise UploadRefused(reader.problems)
    return Upload(
        project=parsed.project,
        version=parsed.version,
        kind=parsed.kind,
        filename=filename,
        requires_python=requires_python,
        requires_dist=_requires_dist(form),
        summary=one_line(next(iter(form.get("summary", ())), None)),
        digests=digests,
    )


class _Reader:
    """Reads field after field, collecting what is wrong."""

    def __init__(self, form: Form, problems: Sequence[str]) -> None:
        self._form = form
        self.problems = list(problems)

    def _text(self, field: str) -> str | None:
        """Return the field's one value; None if it is absent or empty."""
        values = [value for value in self._form.get(field, ()) if value.strip() not in _NOTHING]
        if len(values) > 1:
            self.problems.append(f"{field}: given {len(values)} times.")
        return values[0] if values else None

    def check_action(self) -> None:
        action = self._text(":action")
        if action != FormAction.FILE_UPLOAD.value:
            said = "missing" if action is None else f"{shorten(action)} is not known here"
            self.problems.append(f":action: {said}; what can be asked for is {OFFERED}.")
        protocol = self._text("protocol_version")
        if protocol not in {None, "1"}:
            self.problems.append("Unknown protocol version.")

    def name(self) -> NormalizedName | None:
        text = self._text("name")
        if text is None:
            self.problems.append("name: missing.")
            return None
        try:
            return normalize_name(text)
        except InvalidName:
            self.problems.append(
                f"{shorten(text)} is an invalid value for Name. Error: Start and end with a letter or numeral "
                "containing only ASCII numeric and '.', '_' and '-'."
            )
        return None

    def version(self) -> Version | None:
        text = self._text("version")
        if text is None:
            self.problems.append("version: missing.")
            return None
        try:
            return Version(text)
        except ValueError:  # InvalidVersion is one; so is what int() raises for more than 4300 digits
            self.problems.append(f"{shorten(text)} is an invalid value for Version. Error: it is no PEP 440 version.")
        return None

    def kind(self) -> FileKind | None:
        text = self._text("filetype")
        try:
            return FileKind(text)
        except ValueError:
            self.problems.append("Invalid value for filetype. Error: Use a known file type: sdist or bdist_wheel.")
        return None

    def filename(self, filename: str | None) -> ParsedFilename | None:
        if not filename:
            self.problems.append("Upload payload does not have a file.")
            return None
        problem = _problem_of_filename(filename)
        if problem is None:
            try:
                return parse_filename(filename)
            except UnknownFilename as e:
                problem = f"content: {e}."
        self.problems.append(problem)
        return None

    def compare(
        self, parsed: ParsedFilename, name: NormalizedName | None, version: Version | None, kind: FileKind | None
    ) -> None:
        """Note where the file's name and the form disagree; what is missing was noted before."""
        if name is not None and parsed.project != name:
            self.problems.append(f"The filename is that of project {parsed.project!r}, the form's name is {name!r}.")
        if version is not None and parsed.version != version:
            self.problems.append(
                f"The filename is that of version '{parsed.version}', the form's version is '{version}'."
            )
        if kind is not None and parsed.kind != kind:
            self.problems.append(f"The filename is that of a {parsed.kind.value}, the form's filetype is {kind.value}.")

    def requires_python(self) -> str | None:
        text = self._text("requires_python")
        if text is not None:
            try:
                SpecifierSet(text)
            except InvalidSpecifier:
                self.problems.append(
                    f"{shorten(text)} is an invalid value for Requires-Python. Error: it is no version specifier."
                )
        return text

    def digests(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, length in DIGEST_LENGTHS.items():
            text = self._text(f"{name}_digest")
            if text is None or (name == "blake2_256" and len(text) == _BLAKE2B_LENGTH):
                continue
            if len(text) != length or _HEX.fullmatch(text) is None:
                self.problems.append(f"{name}_digest: Use a valid, hex-encoded, {name} message digest.")
            found[name] = text.lower()
        return found


def _problem_of_filename(filename: str) -> str | None:
    """Return why no file of this name is taken, whatever its parts say; in PyPI's words if it has any."""
    if set(filename) & set("/\\"):
        return f"Cannot upload a file with '/' or '\\' in the name: {shorten(filename)}."
    if not filename.endswith(_EXTENSIONS):
        return f"Invalid file extension: Use .tar.gz or .whl extension, not {shorten(filename)}."
    if filename.endswith(OLD_SDISTS):
        return f"content: {shorten(filename)} has to be a .tar.gz."
    if len(filename) > MAX_FILENAME_LENGTH:
        return f"content: {shorten(filename)} is longer than {MAX_FILENAME_LENGTH} characters."
    if _IN_FILENAMES.fullmatch(filename) is None:
        return f"content: {shorten(filename)} has characters that no distribution file name has."
    return None
