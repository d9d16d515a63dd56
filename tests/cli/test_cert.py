"""`pypid cert`: certificates for a LAN, which nobody loses and no stranger reads."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pypid.domain.certificates import pair, parse_certificates, parse_keys, problems_of, warning_of
from tests.cli.command import pypid, without_settings
from tests.kit.authority import Authority
from tests.kit.processes import run


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch, tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def make(folder: Path, *names: str) -> None:
    options = [option for name in names for option in ("--name", name)]
    result = pypid("cert", "self-signed", *options, "--out", folder)
    assert result.exit_code == 0, result.output


def verify(folder: Path, name: str) -> bool:
    """Ask OpenSSL, by its strictest rules."""
    purpose = ["-x509_strict", "-purpose", "sslserver", "-verify_hostname", "host.lan"]
    command = ["openssl", "verify", "-CAfile", str(folder / "ca.pem"), *purpose, str(folder / name)]
    return run(command, home=folder).returncode == 0


def test_files(tmp_path: Path) -> None:
    """Certificate and key are in one file, so that renewal replaces them as one; keys are for nobody else to read."""
    folder = tmp_path / "new" / "tls"
    make(folder, "Host.lan", "192.0.2.1")
    assert {path.name: mode(path) for path in folder.iterdir()} == {
        "ca.pem": 0o644,
        "ca-key.pem": 0o600,
        "host.lan.pem": 0o600,
    }
    pem = (folder / "host.lan.pem").read_bytes()
    certificate = pair(parse_certificates(pem), parse_keys(pem))
    assert certificate.names == ("host.lan", "192.0.2.1")
    assert list(problems_of(certificate)) == []
    assert warning_of(certificate) is None
    assert verify(folder, "host.lan.pem")


def test_says_what_to_do(tmp_path: Path) -> None:
    said = pypid("cert", "self-signed", "--name", "host.lan", "--out", tmp_path).output
    for line in (
        'listen = ["tls:8443"]',
        f'certificates = ["{tmp_path}/host.lan.pem"]',
        f"pip config set global.cert {tmp_path}/ca.pem",
        f"SSL_CERT_FILE={tmp_path}/ca.pem",
        "update-ca-certificates",
        "update-ca-trust",
    ):
        assert line in said


def test_checked_configuration(tmp_path: Path) -> None:
    """What it says to write is what a daemon starts with."""
    make(tmp_path, "host.lan")
    config = tmp_path / "pypid.conf"
    config.write_text('[server]\nlisten = ["tls:8443"]\ncertificates = ["host.lan.pem"]\n')
    assert pypid("check-config", config).exit_code == 0
    (tmp_path / "host.lan.pem").chmod(0o604)
    refused = pypid("check-config", config)
    assert refused.exit_code == 78
    assert "chmod o=" in refused.stderr


def test_checked_configuration_of_an_expired_certificate(tmp_path: Path) -> None:
    """A daemon starts with it, and says so as well."""
    Authority().issue("host.lan", begins=-9, ends=-2).write(tmp_path / "old.pem")
    (tmp_path / "pypid.conf").write_text('[server]\nlisten = ["tls:8443"]\ncertificates = ["old.pem"]\n')
    result = pypid("check-config", tmp_path / "pypid.conf")
    assert result.exit_code == 0
    assert "old.pem: it has expired on" in result.stderr


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    make(tmp_path, "host.lan")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again = pypid("cert", "self-signed", "--name", "host.lan", "--out", tmp_path)
    assert again.exit_code == 1
    assert f"`pypid cert renew {tmp_path}/host.lan.pem` renews it" in again.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_second_certificate_of_the_same_authority(tmp_path: Path) -> None:
    """For names below those that it vouches for; clients need nothing new."""
    make(tmp_path, "host.lan")
    ca = (tmp_path / "ca.pem").read_bytes()
    make(tmp_path, "a.host.lan", "host.lan")
    assert (tmp_path / "ca.pem").read_bytes() == ca
    assert verify(tmp_path, "a.host.lan.pem")
    refused = pypid("cert", "self-signed", "--name", "public.example", "--out", tmp_path)
    assert refused.exit_code == 1
    assert "that authority cannot vouch for public.example" in refused.stderr
    assert not (tmp_path / "public.example.pem").exists()


def test_renewal(tmp_path: Path) -> None:
    """The same names, another key, the same mode; a link goes on pointing to the file."""
    make(tmp_path, "host.lan", "192.0.2.1")
    path, link = tmp_path / "host.lan.pem", tmp_path / "link.pem"
    link.symlink_to(path)
    path.chmod(0o640)
    before = path.read_bytes()
    result = pypid("cert", "renew", link, "--days", "30")
    assert result.exit_code == 0
    pem = path.read_bytes()
    certificate = pair(parse_certificates(pem), parse_keys(pem))
    assert certificate.names == ("host.lan", "192.0.2.1")
    assert certificate.ends - certificate.begins == 30 * 86400
    assert parse_keys(before)[0].public_key() != certificate.key.public_key()
    assert (mode(path), link.is_symlink()) == (0o640, True)
    assert verify(tmp_path, "host.lan.pem")


def test_renewal_of_a_strangers(tmp_path: Path) -> None:
    make(tmp_path, "host.lan")
    stranger = Authority().issue("host.lan").write(tmp_path / "stranger.pem")
    before = stranger.read_bytes()
    refused = pypid("cert", "renew", stranger)
    assert refused.exit_code == 1
    assert "is not of the authority in" in refused.stderr
    (tmp_path / "ca.pem").unlink()
    (tmp_path / "ca-key.pem").unlink()
    assert "has no ca.pem and ca-key.pem" in pypid("cert", "renew", stranger).stderr
    assert stranger.read_bytes() == before


def test_authority_with_another_key(tmp_path: Path) -> None:
    make(tmp_path, "host.lan")
    (tmp_path / "ca-key.pem").write_bytes((tmp_path / "host.lan.pem").read_bytes())
    refused = pypid("cert", "renew", tmp_path / "host.lan.pem")
    assert refused.exit_code == 1
    assert "ca-key.pem does not have the key of ca.pem" in refused.stderr


def test_show(tmp_path: Path) -> None:
    make(tmp_path, "host.lan", "192.0.2.1")
    shown = pypid("cert", "show", tmp_path / "host.lan.pem")
    assert shown.exit_code == 0
    assert "names   host.lan, 192.0.2.1" in shown.stdout
    assert "(396 days left)" in shown.stdout
    old = Authority().issue("old.lan", begins=-9, ends=-2).write(tmp_path / "old.pem")
    expired = pypid("cert", "show", tmp_path / "host.lan.pem", old)
    assert expired.exit_code == 1
    assert "(expired)" in expired.stdout


def test_show_what_the_configuration_names(tmp_path: Path) -> None:
    make(tmp_path, "host.lan")
    (tmp_path / "pypid.conf").write_text('[server]\nlisten = ["tls:8443"]\ncertificates = ["host.lan.pem"]\n')
    assert "names   host.lan\n" in pypid("cert", "show").stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["self-signed", "--name", "a b"], "is neither a host's name"),
        (["self-signed", "--name", "a.lan", "--out", "/proc/nowhere"], "/proc/nowhere"),
        (["show", "nothing.pem"], "nothing.pem: No such file or directory"),
        (["show", "pypid.conf"], "pypid.conf: there is no certificate in PEM form"),
        (["renew", "nothing.pem"], "nothing.pem: No such file or directory"),
    ],
)
def test_refusals(args: list[str], said: str) -> None:
    """One line, and no traceback."""
    result = pypid("cert", *args)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_more_days_than_clients_accept() -> None:
    assert pypid("cert", "self-signed", "--name", "a.lan", "--days", "398").exit_code == 2
