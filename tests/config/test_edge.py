"""The settings that say who may connect, and who is believed."""

from __future__ import annotations

import pytest

from pypid.config import parse_config
from tests.config.problems import problems_of


def test_proxies() -> None:
    text = '[server]\ntrusted_proxies = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32", "unix"]'
    assert parse_config(text, {}).server.trusted_proxies == ("127.0.0.1", "10.0.0.0/8", "2001:db8::/32", "unix")
    given = parse_config("", {"PYPID_SERVER__TRUSTED_PROXIES": "127.0.0.1, unix"})
    assert given.server.trusted_proxies == ("127.0.0.1", "unix")


def test_nobody_is_believed_unless_it_is_said() -> None:
    assert parse_config("", {}).server.trusted_proxies == ()


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ('trusted_proxies = ["10.1.2.3/8"]', "'10.1.2.3/8' is an address inside a network (did you mean 10.0.0.0/8?)"),
        ('trusted_proxies = ["proxy.test"]', "'proxy.test' is no address, no network such as 10.0.0.0/8"),
        ('trusted_proxies = ["unix", "unix"]', "listed twice"),
        ("trusted_proxies = true", "expected a list of addresses and networks"),
        ("connections_per_address = 0", "expected a whole number from 1"),
    ],
)
def test_what_is_none(setting: str, problem: str) -> None:
    (found,) = problems_of(f"[server]\n{setting}")
    assert problem in found
