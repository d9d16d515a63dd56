"""In which form a client is told what went wrong, by its Accept header."""

from __future__ import annotations

from enum import Enum

from pypid.domain.accept import media_ranges


class ErrorForm(Enum):
    """The forms of an error; the value is the media type. Of equally liked ones the first is chosen."""

    PROBLEM = "application/problem+json"
    JSON = "application/json"
    HTML = "text/html"
    TEXT = "text/plain"


_BY_NAME = {form.value: form for form in ErrorForm} | {
    "application/*": ErrorForm.PROBLEM,
    "text/*": ErrorForm.TEXT,
}


def error_form(accept: str | None, otherwise: ErrorForm = ErrorForm.TEXT) -> ErrorForm:
    """
    Return the form for a client that sends this Accept header.

    The highest q wins, and a type that is named beats ``*/*``, which like no
    header at all leaves the choice to us: ``otherwise``.

    Who takes some ``+json`` type can read problem+json (RFC 9457): installers
    accept nothing but the types of pages when they ask for a page, and uv shows
    ``title`` and ``detail`` of whatever says it is a problem. An error is
    answered even to who accepts none of the forms (RFC 9110, section 12.5.1).
    """
    weights = dict.fromkeys(ErrorForm, 0.0)
    wildcard = 0.0
    for range_ in media_ranges(accept):
        form = _form_of(range_.name)
        if form is not None:
            weights[form] = max(weights[form], range_.q)
        elif range_.name == "*/*":
            wildcard = max(wildcard, range_.q)
    best = max(weights, key=lambda form: weights[form])
    return best if weights[best] > 0 and weights[best] >= wildcard else otherwise


def _form_of(name: str) -> ErrorForm | None:
    return _BY_NAME.get(name) or (ErrorForm.PROBLEM if name.endswith("+json") else None)
