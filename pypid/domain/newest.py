"""Clients that will not take an answer from a cache's word."""

from __future__ import annotations

import re

_ALWAYS = re.compile(r"\s*pip/(\d{1,4})\.(\d{1,4})")
PIP_MEANS_IT = (26, 2)
"""The first pip that keeps pages. All before say ``max-age=0`` with every page, and mean nothing by it."""


def wants_newest(cache_control: str | None, user_agent: str | None) -> bool:
    """
    Say whether a request wants upstream to be asked (RFC 9111 section 5.2.1).

    ``no-cache`` is what ``uv --refresh`` says, ``max-age=0`` a newer pip for
    ``--refresh-package`` and a browser. Older pips are not heeded: an install
    of a hundred projects would ask upstream a hundred times, one after the other.
    """
    said = {member.strip().lower() for member in (cache_control or "").split(",")}
    if "no-cache" in said:
        return True
    return "max-age=0" in said and not _says_it_always(user_agent or "")


def _says_it_always(user_agent: str) -> bool:
    match = _ALWAYS.match(user_agent)
    return match is not None and (int(match[1]), int(match[2])) < PIP_MEANS_IT
