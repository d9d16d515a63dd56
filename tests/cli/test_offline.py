"""``pypid offline``, where no daemon runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import pypid, without_settings


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch, tmp_path)
    (tmp_path / "pypid-data").mkdir()


def said(*args: str) -> str:
    result = pypid("offline", *args)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_switch_is_off_on_and_off_again(tmp_path: Path) -> None:
    data = tmp_path / "pypid-data"
    off, on = f"the switch of {data} is off\n", f"pypid on {data} is offline: no upstream is asked\n"
    assert said() == off
    for _ in range(2):
        assert said("on") == on + "no pypid is seen to run there: it obeys when it starts\n"
        assert said() == on
    for _ in range(2):
        assert said("off").startswith(off)
        assert said() == off


def test_settings_that_say_so_too_are_named(tmp_path: Path) -> None:
    config = tmp_path / "pypid.conf"
    config.write_text("[server]\noffline = true\n[index.pypi]\noffline = true\n")
    lines = said("off").splitlines()
    assert f"{config} says offline = true in [server]" in lines
    assert f"{config} says offline = true in [index.pypi]" in lines


def test_configuration_that_the_daemon_would_refuse_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "pypid.conf").write_text("[server]\noflline = true")
    assert pypid("offline", "on").exit_code == 78
    assert not (tmp_path / "pypid-data" / "offline").exists()


def test_data_directory_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "pypid-data").rmdir()
    result = pypid("offline", "on")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"{tmp_path / 'pypid-data' / 'offline'}: No such file or directory\n"
