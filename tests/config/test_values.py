"""Single values: times, sizes, paths, URLs, as people write them and mistype them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.config.kinds import (
    Age,
    BadValue,
    BaseUrl,
    CountLimit,
    Duration,
    FilePath,
    Flag,
    Kind,
    OptionalFile,
    ProxyChoice,
    Size,
)
from pypid.config.units import SIZE_UNITS, parse_duration, parse_size
from pypid.domain.proxies import Proxy, ProxyRules

PROXY = Proxy(scheme="http", host="proxy.test", port=3128)


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (Duration(), 5, 5.0),
        (Duration(), 0.5, 0.5),
        (Duration(), "90", 90.0),
        (Duration(), "500 ms", 0.5),
        (Duration(), "1.5min", 90.0),
        (Duration(), " 1 H ", 3600.0),
        (Duration(), "7 d", 604800.0),
        (Duration(least=0), 0, 0.0),
        (Age(), "30 d", 30 * 86400.0),
        (Age(), 86400, 86400.0),
        (Age(), "2000 d", 2000 * 86400.0),
        (Age(), "never", math.inf),
        (CountLimit(), 3, 3),
        (CountLimit(), "3", 3),
        (CountLimit(), "all", None),
        (Size(), 4096, 4096),
        (Size(), "4096", 4096),
        (Size(), "64 MiB", 64 * 2**20),
        (Size(), "2gb", 2 * 10**9),
        (Size(), "1.5 KiB", 1536),
        (Size(least=0), "0", 0),
        (Flag(), True, True),
        (FilePath(), "a/b", Path("a/b")),
        (OptionalFile(), "a/b", Path("a/b")),
        (OptionalFile(), "", None),
        (BaseUrl(), "https://pypi.org/simple", "https://pypi.org/simple/"),
        (BaseUrl(), "http://[::1]:8080/a/", "http://[::1]:8080/a/"),
        (ProxyChoice(), "environment", None),
        (ProxyChoice(), "none", ProxyRules()),
        (ProxyChoice(), "", ProxyRules()),
        (ProxyChoice(), "http://proxy.test:3128", ProxyRules(http=PROXY, https=PROXY)),
    ],
)
def test_good(kind: Kind, value: object, read: object) -> None:
    got = kind.read(value)
    assert got == read
    assert type(got) is type(read) or isinstance(got, Path)


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        (Duration(), True, "expected a number of seconds, got true"),
        (Duration(), [5], "expected a number of seconds, got [5]"),
        (Duration(), "soon", "expected a number of seconds, got 'soon'"),
        (Duration(), "", "expected a number of seconds, got ''"),
        (Duration(), math.nan, "expected a number of seconds, got nan"),
        (Duration(), math.inf, "expected at most 31622400 seconds, got inf"),
        (Duration(), 0, "expected at least 0.001 seconds, got 0"),
        (Duration(), "-5 s", "expected at least 0.001 seconds, got '-5 s'"),
        (Duration(), "5 m", "'5 m': unknown unit 'm' (have: ms, s, min, h, d)"),
        (Age(), 30, 'expected at least 86400 seconds, got 30 (such as "30 d", or "never")'),
        (Age(), "ever", """expected a number of seconds, got 'ever' (such as "30 d", or "never")"""),
        (CountLimit(), 0, 'expected a whole number from 1 to 100000, got 0 (or "all")'),
        (CountLimit(), "none", """expected a whole number from 1 to 100000, got 'none' (or "all")"""),
        (Size(), "2G", "'2G': unknown unit 'G' (have: B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)"),
        (Size(), 1.5, "expected a number of bytes, got 1.5"),
        (Size(), False, "expected a number of bytes, got false"),
        (Size(), 0, "expected at least 1 bytes, got 0"),
        pytest.param(Size(), 10**5000, "expected at most 9223372036854775807 bytes, got a huge number", id="huge"),
        (Size(), "9" * 30 + "TB", "expected at most 9223372036854775807 bytes, got '"),
        (Flag(), "yes", "expected true or false, got 'yes'"),
        (FilePath(), "", "expected a path, got ''"),
        (FilePath(), "~/data", "'~' is not expanded here"),
        (FilePath(), 5, "expected a path, got 5"),
        (OptionalFile(), False, "expected a path, got false"),
        (BaseUrl(), "pypi.org/simple", "expected a URL that begins with https:// or http:// and a host"),
        (BaseUrl(), "ftp://x/", "expected a URL that begins with https:// or http:// and a host"),
        (BaseUrl(), "https:///simple", "expected a URL that begins with https:// or http:// and a host"),
        (BaseUrl(), "http://x:99999/", "expected a URL with a host and, if any, a port from 1 to 65535"),
        (BaseUrl(), "http://x/?a", "expected a URL without '?' and '#'"),
        (BaseUrl(), "http://x/a b", "expected a URL in printable ASCII, without spaces"),
        (BaseUrl(), "http://\u0451/", "expected a URL in printable ASCII, without spaces"),
        (BaseUrl(), 5, "expected a URL, got 5"),
        (ProxyChoice(), False, 'expected the URL of a proxy, "none" or "environment", got false'),
        (ProxyChoice(), [], 'expected the URL of a proxy, "none" or "environment", got []'),
        (
            ProxyChoice(),
            "proxy.test:3128",
            "expected the URL of a proxy that begins with http:// or https:// and a host",
        ),
    ],
)
def test_bad(kind: Kind, value: object, problem: str) -> None:
    with pytest.raises(BadValue) as caught:
        kind.read(value)
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    "url",
    [
        "https://bob:secret@x/",
        "https://bob:secret@[x/",
        "https://bob:secret@x:port/",
        "https://bob:sec/secret@x/",
        "bob:secret@x/simple",
        "ftp://bob:secret@x/?",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    """The message goes to a terminal and to the log."""
    with pytest.raises(BadValue) as caught:
        BaseUrl().read(url)
    assert "secret" not in str(caught.value)


def test_the_password_of_a_proxy_is_not_repeated() -> None:
    with pytest.raises(BadValue) as caught:
        ProxyChoice().read("http://bob:sec/secret@proxy.test:3128")
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(ProxyChoice().read("http://bob:secret@proxy.test:3128"))


@given(st.integers(0, 2**63 - 1), st.sampled_from(sorted(SIZE_UNITS)))
def test_sizes_lose_no_byte(number: int, unit: str) -> None:
    assert parse_size(f"{number} {unit}") == number * SIZE_UNITS[unit]


@given(st.floats(0, 10**9, allow_nan=False).map(lambda number: f"{number:.6f}"))
def test_durations_are_the_numbers_written(text: str) -> None:
    assert parse_duration(text) == float(text)
    assert parse_duration(f"{text} min") == float(text) * 60
