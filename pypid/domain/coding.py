"""Content codings of pages, undone within limits."""

from __future__ import annotations

import zlib

from pypid.domain.simple_page import InvalidPage


def decoded(body: bytes, encoding: str, *, limit: int) -> bytes:
    """
    Undo a content coding, as far as ``limit`` bytes.

    Raises `InvalidPage` for a coding that was not asked for, for damage, and
    for more than the limit: a few kilobytes can be made to unfold to gigabytes.
    """
    if encoding == "identity":
        return body
    if encoding not in {"gzip", "x-gzip"}:
        raise InvalidPage(f"its content coding is {encoding!r}")
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(body, limit)
    except zlib.error as e:
        raise InvalidPage(f"its gzip coding is damaged: {e}") from e
    if inflater.unconsumed_tail:
        raise InvalidPage(f"it unfolds to more than {limit} bytes")
    if not inflater.eof:
        raise InvalidPage("its gzip coding is cut off")
    return plain
