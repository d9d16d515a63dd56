"""How the Cache-Status header reads."""

from __future__ import annotations

import pytest

from pypid.domain.cache_status import HIT, CacheStatus, Forwarded


@pytest.mark.parametrize(
    ("status", "value"),
    [
        (HIT, "pypid; hit"),
        (CacheStatus(ttl=376), "pypid; hit; ttl=376"),
        (CacheStatus(ttl=-412, detail="timeout"), "pypid; hit; ttl=-412; detail=timeout"),
        (CacheStatus(forwarded=Forwarded.URI_MISS, stored=True), "pypid; fwd=uri-miss; stored"),
        (
            CacheStatus(forwarded=Forwarded.STALE, stored=True, collapsed=True, ttl=600),
            "pypid; fwd=stale; stored; collapsed; ttl=600",
        ),
    ],
)
def test_rendered(status: CacheStatus, value: str) -> None:
    assert status.render() == value
