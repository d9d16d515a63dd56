"""Credentials for an upstream, from the places that a configuration may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pypid.config import ConfigError, MirrorConfig, parse_config
from pypid.daemon.credentials import upstream_authorization
from pypid.domain.names import IndexName

NEXUS = IndexName("nexus")
BASIC = "Basic Y2k6czNjcmV0"  # ci:s3cret


def sent(settings: str) -> str | None:
    """The header that the upstream of an index with these ``settings`` gets."""
    config = parse_config(f'[index.nexus]\nupstream = "https://nexus.test/simple/"\n{settings}')
    mirror = config.indexes[NEXUS]
    assert isinstance(mirror, MirrorConfig)
    assert "s3cret" not in repr(config)
    made = upstream_authorization(NEXUS, mirror)
    return None if made is None else made.value


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_none_is_sent_by_default() -> None:
    assert sent("") is None


def test_in_the_file_itself() -> None:
    assert sent('user = "ci"\npassword = "s3cret"') == BASIC
    assert sent('token = "s3cret"') == "Bearer s3cret"


def test_in_a_file_of_its_own(tmp_path: Path) -> None:
    """As secrets are mounted into containers, with or without the line break that an editor adds."""
    for text in ("s3cret", "s3cret\n"):
        secret = written(tmp_path / "secret", text)
        assert sent(f'user = "ci"\nsecret_file = "{secret}"') == BASIC
        assert sent(f'secret_file = "{secret}"') == "Bearer s3cret"


def test_in_netrc(tmp_path: Path) -> None:
    netrc = written(
        tmp_path / "netrc", "machine other.test login x password y\nmachine nexus.test login ci password s3cret"
    )
    assert sent(f'netrc = "{netrc}"') == BASIC


def test_in_the_environment() -> None:
    environ = {"PYPID_INDEX__NEXUS__USER": "ci", "PYPID_INDEX__NEXUS__PASSWORD": "s3cret"}
    mirror = parse_config('[index.nexus]\nupstream = "https://nexus.test/simple/"', environ).indexes[NEXUS]
    assert isinstance(mirror, MirrorConfig)
    made = upstream_authorization(NEXUS, mirror)
    assert made is not None
    assert (made.origin, made.value) == (("https", "nexus.test", 443), BASIC)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('secret_file = "{tmp}/none"', "No such file"),
        ('netrc = "{tmp}/none"', "No such file"),
        ('netrc = "{tmp}/other"', "nothing on nexus.test"),
        ('netrc = "{tmp}/junk"', "junk"),
        ('netrc = "{tmp}/other"\nuser = "ci"', "too many"),
        ('secret_file = "{tmp}/other"\npassword = "s3cret"', "too many"),
        ('user = "ci"\ntoken = "s3cret"', "too many"),
        ('password = "s3cret"', "without a user"),
    ],
)
def test_what_cannot_be_used_is_said_and_not_shown(tmp_path: Path, settings: str, said: str) -> None:
    written(tmp_path / "other", "machine other.test login x password s3cret")
    written(tmp_path / "junk", "machine nexus.test junk s3cret")
    with pytest.raises(ConfigError) as refused:
        sent(settings.replace("{tmp}", str(tmp_path)))
    assert said in str(refused.value)
    assert "[index.nexus]" in str(refused.value)
    assert "s3cret" not in str(refused.value)
