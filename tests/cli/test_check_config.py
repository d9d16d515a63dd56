"""``pypid check-config``, and that the daemon says the same."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cli.command import pypid, without_settings
from tests.kit.processes import run


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch, tmp_path)


NOBODY = 65534
"""The user id of Debian's ``nobody``."""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.conf"
    path.write_text(text, encoding="utf-8")
    return path


def test_says_what_a_good_file_comes_to(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '[server]\nlisten = ["tcp:1", "tcp:2"]\ndata = "/srv"\n[index.dev]\n[index.pypi]\nupstream = "http://x"',
    )
    result = pypid("check-config", path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"{path}: ok",
        "  listen  tcp:1, tcp:2",
        "  data    /srv",
        "  users   /srv/htpasswd",
        "  index   dev: hosted",
        "  index   pypi: mirror of http://x/",
        "  index   main: hosted, then pypi (default)",
    ]


def test_says_all_that_is_wrong(tmp_path: Path) -> None:
    path = write(tmp_path, "[server]\ndrian = 5\n[index.pypi]\nttl = 'soon'")
    result = pypid("check-config", path)
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr.splitlines() == [
        "[server] drian: no such setting (did you mean drain?)",
        "[index.pypi] ttl: expected a number of seconds, got 'soon'",
    ]


def test_reads_the_certificates_that_mirrors_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A49: what is missing is said here, and not by a request that fails."""
    path = write(tmp_path, '[index."root/pypi"]\nupstream = "https://x"\nca_file = "ca.pem"')
    monkeypatch.setenv("SSL_CERT_FILE", "/gone.pem")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    result = pypid("check-config", path)
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr.splitlines() == [
        f"[index.'root/pypi'] ca_file: {tmp_path / 'ca.pem'}: No such file or directory",
        "[index.pypi] /gone.pem: No such file or directory",
    ]


def test_says_which_directories_cannot_be_read(tmp_path: Path) -> None:
    """A daemon would start, and wait for them: a disk may be mounted later."""
    (tmp_path / "packages").mkdir()
    result = pypid("check-config", write(tmp_path, "[index.local]\ndirectory = ['packages', 'gone']"))
    assert result.exit_code == 0
    assert result.stderr == (
        f"[index.local] directory: {tmp_path / 'gone'}: No such file or directory: it is served when it can be read\n"
    )
    assert f"  index   local: files in {tmp_path / 'packages'}, {tmp_path / 'gone'}" in result.stdout.splitlines()


def test_says_which_directory_below_cannot_be_read() -> None:
    """One of them is enough that nothing of the index is served."""
    with TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        locked = Path(directory) / "packages" / "team" / "locked"
        locked.mkdir(parents=True)
        path = write(Path(directory), "[index.local]\ndirectory = 'packages'")
        locked.chmod(0)
        user = os.geteuid()
        if user == 0:  # who may read everything
            os.seteuid(NOBODY)
        try:
            result = pypid("check-config", path)
        finally:
            os.seteuid(user)
            locked.chmod(0o700)
    assert result.exit_code == 0
    assert result.stderr == f"[index.local] directory: {locked}: Permission denied: it is served when it can be read\n"


def test_reads_the_file_of_users(tmp_path: Path) -> None:
    """Line by line; what a start would refuse is an error, what keeps one user out is not."""
    path = write(tmp_path, "[server]\ndata = 'own'\n[users]\nbcrypt_only = true")
    htpasswd = tmp_path / "own" / "htpasswd"
    htpasswd.parent.mkdir()
    htpasswd.write_text("# team\nbob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\neve:secret\n")
    result = pypid("check-config", path)
    assert result.exit_code == 0
    assert [line.partition(", which")[0] for line in result.stderr.splitlines()] == [
        f"{htpasswd}: line 2: user 'bob' has a {{SHA}} (SHA-1) password",
        f"{htpasswd}: line 3: user 'eve' has a plain-text, crypt() or unknown password",
    ]
    for content in (b"bob:x\nbob:x\n", b"bob:\xff\n"):
        htpasswd.write_bytes(content)
        result = pypid("check-config", path)
        assert (result.exit_code, result.stdout) == (78, "")
        assert result.stderr.startswith(f"[users] htpasswd: {htpasswd}")


def test_reads_the_groups(tmp_path: Path) -> None:
    """A group that is none is what the daemon would not start with; a user may be added at any time."""
    path = write(tmp_path, '[index.main]\nupload = ["@payments", "alice"]\n')
    result = pypid("check-config", path)
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr == "[index.main] upload: there is no group 'payments' (have: none)\n"
    path.write_text(f"{path.read_text()}[groups]\npayments = ['bob']\n")
    result = pypid("check-config", path)
    assert (result.exit_code, result.stderr) == (0, "[index.main] upload: there is no user 'alice' yet\n")
    path.chmod(0o646)
    assert f"{path} can be changed by every user of this machine" in pypid("check-config", path).stderr


def test_checks_what_the_daemon_would_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without FILE: that of the environment, and with its variables."""
    assert pypid("check-config").stdout.startswith(f"{tmp_path / 'pypid.conf'}: ok\n")
    monkeypatch.setenv("PYPID_SERVER__DRAIN", "soon")
    assert pypid("check-config").stderr == "PYPID_SERVER__DRAIN: expected a number of seconds, got 'soon'\n"
    monkeypatch.setenv("PYPID_CONFIG", str(tmp_path / "gone"))
    gone = pypid("check-config")
    assert (gone.exit_code, gone.stderr) == (78, f"{tmp_path / 'gone'}: there is no such file\n")


def test_a_daemon_refuses_to_start_with_the_same_words(tmp_path: Path) -> None:
    path = write(tmp_path, "[server]\nlisten = '8080'\n[index.main]\nbases = ['intern']")
    said = pypid("check-config", path).stderr
    twistd = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "--nodaemon", "--pidfile="]
    started = run([*twistd, "pypid", "--config", path], home=tmp_path / "home")
    assert (started.returncode, started.stdout) == (78, said)
    assert len(said.splitlines()) == 2
