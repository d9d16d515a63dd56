"""Core metadata, read field by field: one that is wrong does not hide the others."""

from __future__ import annotations

from packaging.metadata import InvalidMetadata, Metadata, RawMetadata, parse_email

from pypid.domain.names import shorten


class Fields:
    """The fields of a METADATA or PKG-INFO."""

    def __init__(self, content: bytes) -> None:
        raw, unparsed = parse_email(content)
        self.raw: RawMetadata = raw
        self.unparsed = unparsed
        """Values of fields that are unknown, or are there twice and may be there once."""
        self.problems: dict[str, str] = {}
        """What is wrong with a field's value, by the field's name in `raw`."""
        self.values = Metadata.from_raw(raw, validate=False)
        for field in ("metadata_version", *raw):
            problem = self._problem(field)
            if problem is not None:
                self.problems[field] = problem

    def _problem(self, field: str) -> str | None:
        try:
            getattr(self.values, field)
        except InvalidMetadata as e:
            return shorten(str(e), 300)[1:-1] if len(str(e)) > 300 else str(e)
        except ValueError as e:  # what int() raises for more than 4300 digits
            return shorten(str(e), 300)
        return None
