"""What a form of the legacy upload API asks for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class FormAction(Enum):
    """What a form asks for, by its field ``:action``."""

    FILE_UPLOAD = "file_upload"
    SUBMIT = "submit"
    """Register a release: what distutils, and twine by a command of its own, do before the first upload."""
    SUBMIT_PKG_INFO = "submit_pkg_info"
    """The same, in one file."""
    VERIFY = "verify"
    """Ask whether a release could be registered."""
    DOC_UPLOAD = "doc_upload"
    """Documentation, for which PyPI once had a place."""
    REMOVE_PKG = "remove_pkg"
    """Delete a release, as pypiserver does."""


OFFERED = ", ".join(action.value for action in FormAction if action is not FormAction.DOC_UPLOAD)
"""Those that an upload may ask for, to be told to one that asks for another."""


def action_of(form: Mapping[str, tuple[str, ...]]) -> FormAction:
    """Return what ``form`` asks for; where that is nothing known, an upload, which is refused when it is read."""
    try:
        return FormAction(*form.get(":action", ()))
    except (TypeError, ValueError):  # for none or several, and for what is none
        return FormAction.FILE_UPLOAD
