"""Segments of URLs that are values: what is none of them matches no route."""

from __future__ import annotations

import re

from werkzeug.routing import BaseConverter, Map, ValidationError

from pypid.domain.filenames import UnknownFilename, parse_filename
from pypid.domain.names import RESERVED_SEGMENTS, IndexName, InvalidName, normalize_name, parse_index_name

_RESERVED = "|".join(map(re.escape, sorted(RESERVED_SEGMENTS)))
_SHORT_SEGMENT = rf"(?!(?:{_RESERVED})(?![A-Za-z0-9._-]))[A-Za-z0-9][A-Za-z0-9._-]*"
_SEGMENT = rf"(?!(?:{_RESERVED})(?![a-z0-9._-]))[a-z0-9._-]+"


class ProjectConverter(BaseConverter):
    """A project name in any spelling, as it was written: the handler redirects to the normalized one."""

    def to_python(self, value: str) -> str:
        try:
            normalize_name(value)
        except InvalidName as e:
            raise ValidationError(str(e)) from e
        return value


class IndexConverter(BaseConverter):
    """The name of an index: one segment, or two."""

    part_isolating = False
    # Werkzeug tries no other rule when `to_python` refuses: "main/legacy" must not even look like an index.
    regex = f"{_SEGMENT}(?:/{_SEGMENT})?"

    def to_python(self, value: str) -> IndexName:
        try:
            return parse_index_name(value)
        except InvalidName as e:
            raise ValidationError(str(e)) from e


class ShortConverter(BaseConverter):
    """What `pypid.web.short` reads: up to three segments, each of which could be a project, none of them reserved."""

    part_isolating = False
    # Without pypiserver's "demo/json", which has a rule of its own that Werkzeug would try after this one.
    regex = rf"(?![^/]+/json\Z){_SHORT_SEGMENT}(?:/{_SHORT_SEGMENT}){{0,2}}"


class DigestConverter(BaseConverter):
    """The first digits of a file's sha256."""

    regex = "[0-9a-f]{16}"


class FilenameConverter(BaseConverter):
    """The name of a wheel or of a source distribution."""

    def to_python(self, value: str) -> str:
        try:
            parse_filename(value)
        except UnknownFilename as e:
            raise ValidationError(str(e)) from e
        return value


class BesideConverter(BaseConverter):
    """The name of a distribution file and a suffix, which says what beside it is meant; the value is the former."""

    suffix = ""

    def to_python(self, value: str) -> str:
        return FilenameConverter(self.map).to_python(value.removesuffix(self.suffix))


class MetadataConverter(BesideConverter):
    """The core metadata of a file (PEP 658)."""

    suffix = ".metadata"
    regex = r"[^/]+\.metadata"


class ProvenanceConverter(BesideConverter):
    """The provenance of a file (PEP 740)."""

    suffix = ".provenance"
    regex = r"[^/]+\.provenance"


class SignatureConverter(BesideConverter):
    """The OpenPGP signature of a file."""

    suffix = ".asc"
    regex = r"[^/]+\.asc"


def register(url_map: Map) -> None:
    """Make the converters known to a Klein application's URL map."""
    url_map.converters.update(
        project=ProjectConverter,
        index=IndexConverter,
        short=ShortConverter,
        digest=DigestConverter,
        filename=FilenameConverter,
        metadata=MetadataConverter,
        provenance=ProvenanceConverter,
        signature=SignatureConverter,
    )
    # Werkzeug's own redirects are absolute, built from Host and the wrong scheme behind a proxy; the
    # routes that may lack their slash say so, and none else.
    url_map.strict_slashes = True
    url_map.redirect_defaults = False
    url_map.merge_slashes = False
