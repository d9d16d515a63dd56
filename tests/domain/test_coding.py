"""Undoing a content coding without being overwhelmed by it."""

import gzip

import pytest

from pypid.domain.coding import decoded
from pypid.domain.simple_page import InvalidPage

PAGE = b"a page " * 100


@pytest.mark.parametrize(
    ("coding", "body"), [("identity", PAGE), ("gzip", gzip.compress(PAGE)), ("x-gzip", gzip.compress(PAGE))]
)
def test_codings_that_are_asked_for(coding: str, body: bytes) -> None:
    assert decoded(body, coding, limit=len(PAGE)) == PAGE


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "compress", ""])
def test_codings_that_are_not(coding: str) -> None:
    with pytest.raises(InvalidPage, match="coding"):
        decoded(PAGE, coding, limit=10_000)


def test_bomb_is_not_unfolded() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    assert len(bomb) < 20_000
    with pytest.raises(InvalidPage, match="more than 1000 bytes"):
        decoded(bomb, "gzip", limit=1000)


def test_one_byte_over_the_limit() -> None:
    with pytest.raises(InvalidPage):
        decoded(gzip.compress(PAGE), "gzip", limit=len(PAGE) - 1)


@pytest.mark.parametrize("cut", [0, 1, 10, -9, -1])
def test_cut_off(cut: int) -> None:
    with pytest.raises(InvalidPage):
        decoded(gzip.compress(PAGE)[:cut], "gzip", limit=10_000)


def test_damaged() -> None:
    body = bytearray(gzip.compress(PAGE))
    body[-6] ^= 1  # its checksum
    with pytest.raises(InvalidPage, match="damaged"):
        decoded(bytes(body), "gzip", limit=10_000)
