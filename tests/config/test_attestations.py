"""The settings about attestations."""

from __future__ import annotations

from pathlib import Path

import pytest

from pypid.config import HostedConfig, parse_config
from pypid.domain.upload_rules import Attesting
from tests.config.problems import problems_of


def test_what_is_demanded(tmp_path: Path) -> None:
    config = parse_config(
        """
        [server]
        sigstore_root = "root.json"
        [index.a]
        [index.b]
        attestations = "verify"
        [index.c]
        attestations = "require"
        [index.d]
        signers = ["https://github.com/acme/*", "*@acme.example"]
        """,
        directory=tmp_path,
    )
    assert config.server.sigstore_root == tmp_path / "root.json"
    assert config.verifying == ("b", "c", "d")
    hosted = [index for index in config.indexes.values() if isinstance(index, HostedConfig)]
    assert [index.attestations for index in hosted[:3]] == list(Attesting)


def test_nothing_by_default() -> None:
    config = parse_config("")
    assert (config.server.sigstore_root, config.verifying) == (None, ())


@pytest.mark.parametrize("signer", ["", "*", "***", "acme", "github.com/acme/*"])
def test_signers_that_would_be_nobody_or_everybody(signer: str) -> None:
    assert problems_of(f"[index.main]\nsigners = ['{signer}']") == (
        f"[index.main] signers: expected signers such as https://github.com/acme/* or *@acme.example, got '{signer}'",
    )
