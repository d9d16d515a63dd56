"""E11: what looks the same may have been typed in two ways."""

from __future__ import annotations

from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.spellings import spellings


def test_composed_ones_are_one() -> None:
    assert list(spellings("jürgen", "tür".encode())) == [("jürgen", "tür".encode())]
    assert list(spellings("jürgen", b"t\xfcr")) == [("jürgen", b"t\xfcr")]


@given(st.text(), st.text())
def test_what_was_sent_comes_first_and_then_what_it_is_composed(user: str, password: str) -> None:
    sent = normalize("NFD", user), normalize("NFD", password).encode()
    found = list(spellings(*sent))
    assert found[0] == sent
    assert found[-1] == (normalize("NFC", user), normalize("NFC", password).encode())
    assert len(found) == len(set(found))
