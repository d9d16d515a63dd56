"""Settings that have a word beside their values: a duration without end, a URL that is none."""

from __future__ import annotations

import math

import pytest

from pypid.config import ConfigError, MirrorConfig, parse_config
from pypid.domain.names import IndexName


def mirror(line: str) -> MirrorConfig:
    index = parse_config(f"[index.pypi]\n{line}").indexes[IndexName("pypi")]
    assert isinstance(index, MirrorConfig)
    return index


@pytest.mark.parametrize(
    ("text", "seconds"), [('"unlimited"', math.inf), ("0", 0), ('"7 d"', 7 * 86400), ('"90 min"', 5400)]
)
def test_max_stale(text: str, seconds: float) -> None:
    assert mirror(f"max_stale = {text}").max_stale == seconds


@pytest.mark.parametrize("text", ['"never"', '"infinity"', "inf", "-1", "true"])
def test_max_stale_that_is_none(text: str) -> None:
    with pytest.raises(ConfigError, match=r'\[index.pypi\] max_stale: .*\(or "unlimited"\)'):
        mirror(f"max_stale = {text}")


@pytest.mark.parametrize("url", ["", "https://pypi.org/pypi", "https://pypi.org/pypi/"])
def test_change_feed_is_taken_as_it_is_written(url: str) -> None:
    assert mirror(f'change_feed = "{url}"').change_feed == url


@pytest.mark.parametrize("text", ['"pypi.org/pypi"', '"ftp://x/"', "true", '"https://user:secret@x/"'])
def test_change_feed_that_is_no_url(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        mirror(f"change_feed = {text}")
    assert "secret" not in str(refused.value)
