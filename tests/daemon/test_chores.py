"""What the daemon does by the clock, by a clock of the test's own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.application.service import MultiService
from twisted.internet.task import Clock

from pypid.daemon.chores import FIRST_RETENTION, RECORD_COUNTS, RECORD_TOKENS, RETENTION_INTERVAL, chores
from pypid.domain.names import NormalizedName
from pypid.domain.retention import Retention
from pypid.domain.rights import Right
from pypid.domain.tokens import Token, make_token
from tests.indexes.releases import MAIN, Shelf, result

DEMO = NormalizedName("demo")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with Shelf(tmp_path, now=1_800_000_000.0) as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock, shelf: Shelf) -> MultiService:
    made = chores(clock, shelf.counts, shelf.retainer, shelf.tokens)
    made.startService()
    return made


def test_downloads_are_recorded_each_minute(clock: Clock, shelf: Shelf, service: MultiService) -> None:
    for expected in (1, 2):
        shelf.counts.note(MAIN, DEMO, "demo-1.0.tar.gz")
        clock.advance(RECORD_COUNTS - 1)
        assert shelf.recorded() == expected - 1
        clock.advance(1)
        assert shelf.recorded() == expected
    service.stopService()
    assert clock.getDelayedCalls() == []


def test_use_of_tokens_is_recorded_each_minute(clock: Clock, shelf: Shelf, service: MultiService) -> None:
    text = make_token(secrets.token_bytes)
    token = Token(id="t1", user="alice", rights=frozenset({Right.UPLOAD}), created_at=shelf.now)
    result(shelf.tokens.add(text, token))

    for _ in range(2):
        before = shelf.used_tokens()
        shelf.now += 60
        assert shelf.tokens.find(text) == token
        clock.advance(RECORD_TOKENS - 1)
        assert shelf.used_tokens() == before
        clock.advance(1)
        assert shelf.used_tokens() == {"t1": shelf.now}
    service.stopService()
    assert clock.getDelayedCalls() == []


def test_releases_go_once_a_day(clock: Clock, shelf: Shelf, service: MultiService) -> None:
    shelf.rule({MAIN: Retention(keep_releases=2)})
    shelf.publish(*(f"demo-1.{number}.tar.gz" for number in range(4)))
    planned = {str(going.version) for going in result(shelf.retainer.plan(MAIN))}
    clock.advance(FIRST_RETENTION - 1)
    assert len(shelf.files()) == 4
    clock.advance(1)
    assert planned == {"1.0", "1.1"}
    assert shelf.files() == ["demo-1.2.tar.gz", "demo-1.3.tar.gz"]
    shelf.publish("demo-1.4.tar.gz")
    clock.advance(RETENTION_INTERVAL - 1)
    assert len(shelf.files()) == 3
    clock.advance(1)
    assert shelf.files() == ["demo-1.3.tar.gz", "demo-1.4.tar.gz"]
    service.stopService()
    assert clock.getDelayedCalls() == []
