"""Trusted publishing from a configuration: what is found wrong before anybody is asked anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock

from pypid.config import ConfigError, parse_config
from pypid.daemon.lasting import Lasting
from pypid.daemon.publishing import trusted_publishing
from pypid.indexes.tokens import Tokens
from pypid.indexes.trusted_publishing import Minted, TrustedPublishing
from pypid.offload import inline
from pypid.storage.database import Database
from pypid.storage.tokens import TokenStore
from tests.kit.issuer import Issuer

ISSUER = "https://issuer.test"
PUBLISHER = f"""
[publisher.app]
issuer = "{ISSUER}"
index = "main"
projects = ["app"]
claims = {{ repository = "acme/app" }}
"""


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "access.db", "access", durability="NORMAL", write=inline, read=inline)


def publishing(text: str, tmp_path: Path, database: Database) -> TrustedPublishing | None:
    config = parse_config(text, directory=tmp_path)
    now = MemoryReactorClock().seconds
    return trusted_publishing(config, Lasting(MemoryReactorClock(), config), Tokens(TokenStore(database, now), now=now))


def test_no_publishers_no_publishing(tmp_path: Path, database: Database) -> None:
    assert publishing("", tmp_path, database) is None


def test_keys_from_a_file(tmp_path: Path, database: Database) -> None:
    """Nobody is asked: a token is exchanged at once."""
    issuer = Issuer(ISSUER)
    (tmp_path / "keys.json").write_bytes(issuer.jwks)
    audience = '[server]\noidc_audience = "index.example"\n'
    made = publishing(f'{audience}{PUBLISHER}jwks = "keys.json"', tmp_path, database)
    assert made is not None
    database.open()
    minted: list[Minted] = []
    Deferred.fromCoroutine(made.mint(issuer.token("index.example"))).addCallback(minted.append)
    database.close()
    assert [(each.token.publishers, each.token.projects) for each in minted] == [(("app",), ("app",))]


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"keys": []}'])
def test_file_without_keys(tmp_path: Path, database: Database, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "keys.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"^\[publisher.app\] jwks: .*keys.json cannot be used"):
        publishing(f'{PUBLISHER}jwks = "keys.json"', tmp_path, database)


def test_authorities_that_cannot_be_read(tmp_path: Path, database: Database) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"^\[publisher.app\] .*ca_file"):
        publishing(f'{PUBLISHER}ca_file = "ca.pem"', tmp_path, database)
