"""etc/pypid.conf and docs/configure.md, held to the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import pypid
from pypid.config import SETTINGS, ConfigError, Setting, parse_config
from pypid.daemon.service import NEEDS_RESTART

REPOSITORY = Path(pypid.__file__).parents[1]
EXAMPLE = (REPOSITORY / "etc" / "pypid.conf").read_text(encoding="utf-8")
GUIDE = (REPOSITORY / "docs" / "configure.md").read_text(encoding="utf-8")

# A setting stands right after its #, prose after a space.
UNCOMMENTED = re.sub(r"^#(?=[a-z])", "", EXAMPLE, flags=re.MULTILINE)

SECTIONS = re.findall(r"^### `\[(\w+)[^\n]*\n(.*?)(?=^##|\Z)", GUIDE, flags=re.MULTILINE | re.DOTALL)
"""The tables that each is about, and its text; the two kinds of indexes have one each."""

every_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: f"{setting.table}-{setting.key}")


def rows(table: str) -> list[list[str]]:
    """The cells of the lines on settings of ``table``: name, default, meaning."""
    lines = [line for about, text in SECTIONS if about == table for line in text.splitlines() if line[:3] == "| `"]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_the_example_changes_nothing() -> None:
    """It can be copied to its place as it is, and any one line be uncommented."""
    assert parse_config(EXAMPLE) == parse_config("")
    assert parse_config(UNCOMMENTED) == parse_config("")


@every_setting
def test_the_example_has_every_setting(setting: Setting) -> None:
    tables = tomllib.loads(UNCOMMENTED)
    places = tables["index"].values() if setting.table == "index" else [tables[setting.table]]
    assert [place for place in places if setting.key in place]


@every_setting
def test_the_guide_has_every_setting_with_its_default(setting: Setting) -> None:
    defaults = [default for key, default, _ in rows(setting.table) if key == setting.key]
    assert defaults
    for default in defaults:
        assert (setting.kind.read(tomllib.loads(f"x = {default}")["x"]) if default else None) == setting.default


@pytest.mark.parametrize("table", ["server", "index", "users"])
def test_the_guide_has_no_other_setting(table: str) -> None:
    assert {key for key, *_ in rows(table)} == {setting.key for setting in SETTINGS if setting.table == table}


def test_both_say_what_needs_a_restart() -> None:
    (keys,) = re.findall(r"only after a restart[^:]*:\n([^.]*)\. SIGHUP reloads all others", GUIDE)
    assert set(re.findall(r"`(\w+)`", keys)) == NEEDS_RESTART
    of_server, _, others = EXAMPLE.partition("[index.")
    assert set(re.findall(r"# Needs a restart\.\n#(\w+) =", of_server)) == NEEDS_RESTART
    assert "Needs a restart" not in others


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", GUIDE, flags=re.DOTALL))
def test_what_the_guide_shows_is_right(text: str) -> None:
    parse_config(text)


def test_the_addresses_that_are_shown_are_right() -> None:
    """In the guide and in the file."""
    shown = re.findall(r"""["'](?:tcp|tcp6|unix|systemd):[^"']*["']""", GUIDE + EXAMPLE)
    assert len(shown) > 10
    for address in shown:
        parse_config(f"[server]\nlisten = {address}")


def test_the_variables_that_are_shown_exist() -> None:
    """In the guide and in the file; none is reported as unknown."""
    shown = set(re.findall(r"PYPID_[A-Z]\w*[A-Z]", GUIDE + EXAMPLE))
    assert len(shown) > 5
    text = '[index."root/pypi"]\nupstream = "http://x/"'
    with pytest.raises(ConfigError) as caught:
        parse_config(text, dict.fromkeys(shown, "\0"))
    assert not [problem for problem in caught.value.problems if "no such" in problem]
