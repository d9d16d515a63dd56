"""Which file is read, and what is said of one that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from pypid.config import Config, ConfigError, load_config


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def load(path: Path | None, default: Path, **environ: str) -> Config:
    return load_config(path, environ, default_path=default)


def test_which_file(tmp_path: Path) -> None:
    """The one that is named, else that of the environment, else the default one, else none."""
    named = write(tmp_path / "named", "[server]\ndrain = 1")
    variable = write(tmp_path / "variable", "[server]\ndrain = 2")
    default = write(tmp_path / "default", "[server]\ndrain = 3")
    missing = tmp_path / "missing"
    for config, drain, source in [
        (load(named, default, PYPID_CONFIG=str(variable)), 1, str(named)),
        (load(None, default, PYPID_CONFIG=str(variable)), 2, str(variable)),
        (load(None, default, PYPID_CONFIG=""), 3, str(default)),
        (load(None, missing), 10, "built-in defaults"),
        (load(None, missing, PYPID_SERVER__DRAIN="4"), 4, "built-in defaults"),
    ]:
        assert (config.server.drain, config.source) == (drain, source)


def test_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data is beside the file, wherever the daemon is started; without a file, where it is started."""
    (tmp_path / "etc").mkdir()
    write(tmp_path / "etc" / "pypid.conf", "[server]\ndata = 'data'\n[users]\nhtpasswd = 'users'")
    monkeypatch.chdir(tmp_path)
    beside = load(Path("etc/pypid.conf"), tmp_path / "missing")
    assert beside.server.data == tmp_path / "etc" / "data"
    assert beside.users.htpasswd == tmp_path / "etc" / "data" / "users"
    missing = tmp_path / "missing"
    assert load(None, missing).server.data == tmp_path / "pypid-data"
    elsewhere = load_config(None, {}, default_path=missing, directory=tmp_path / "elsewhere")
    assert elsewhere.server.data == tmp_path / "elsewhere" / "pypid-data"


def test_unusable_files(tmp_path: Path) -> None:
    """A file that was named is never silently replaced by the defaults."""
    (tmp_path / "latin").write_bytes(b"[server]\n# \xe9\n")
    write(tmp_path / "typo", "[server\n")
    for path, problem in [
        (tmp_path / "missing", "missing: there is no such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (tmp_path / "latin", "latin:2: not UTF-8 text"),
        (tmp_path / "typo", "typo:1: Expected ']' at the end of a table declaration"),
        (tmp_path / "typo" / "below", "cannot be read: Not a directory"),
        (Path("a\0b"), "cannot be read: "),
    ]:
        with pytest.raises(ConfigError) as named:
            load(path, tmp_path / "no-default")
        (message,) = named.value.problems
        assert problem in message
        assert message.startswith(str(path))
    with pytest.raises(ConfigError, match="there is no such file"):
        load(None, tmp_path / "no-default", PYPID_CONFIG=str(tmp_path / "missing"))
