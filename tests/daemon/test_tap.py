"""What `twistd pypid` makes of its command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pypid.daemon.tap import Options


def test_the_configuration_is_read_again_from_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """twistd may change its directory after the options were parsed."""
    (tmp_path / "pypid.conf").write_text("[server]\ndrain = 3\n")
    monkeypatch.chdir(tmp_path)
    options = Options()
    options.parseOptions(["--config", "pypid.conf"])
    monkeypatch.chdir("/")
    assert options.load().server.drain == 3


def test_the_environment_may_name_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pypid.conf").write_text("[server]\ndrain = 4\n")
    monkeypatch.setenv("PYPID_CONFIG", str(tmp_path / "pypid.conf"))
    options = Options()
    options.parseOptions([])
    assert options.config.server.drain == 4


def test_a_failpoint_that_is_none_refuses_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYPID_FAILPOINTS", "blob.lost=kill")
    with pytest.raises(SystemExit) as ended:
        Options().parseOptions(["--config", os.devnull])
    assert ended.value.code == os.EX_CONFIG
    assert "no failpoint 'blob.lost'" in capsys.readouterr().err


def test_problems_are_shown_all_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pypid.conf"
    path.write_text("[server]\ndrian = 3\n[users]\nfile = 1\n")
    with pytest.raises(SystemExit) as ended:
        Options().parseOptions(["--config", str(path)])
    assert ended.value.code == os.EX_CONFIG
    said = capsys.readouterr().err
    assert "drian" in said
    assert "did you mean drain?" in said
    assert "[users] file" in said
