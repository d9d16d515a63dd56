"""TLS in the configuration: what fits together, and the files that it names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import pypid
from pypid.config import ConfigError, ServerConfig, parse_config
from pypid.config.certificate_files import FilesUnsettled, read_tls_files
from tests.kit.authority import Authority, write_secret

GUIDE = (Path(pypid.__file__).parents[1] / "docs" / "tls.md").read_text(encoding="utf-8")
AUTHORITY = Authority()
ISSUED = AUTHORITY.issue("index.test")
OTHER = AUTHORITY.issue("other.test")


def test_paths_are_beside_the_file() -> None:
    text = (
        '[server]\nlisten = "tls:8443"\ncertificates = "a.pem"\nprivate_keys = ["b.pem", "/c.pem"]\nclient_ca = "d.pem"'
    )
    server = parse_config(text, directory=Path("/etc/pypid")).server
    assert server.certificates == (Path("/etc/pypid/a.pem"),)
    assert server.private_keys == (Path("/etc/pypid/b.pem"), Path("/c.pem"))
    assert server.client_ca == Path("/etc/pypid/d.pem")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'listen = ["tcp:80", "tls:443"]',
            "[server] listen: TLS needs a certificate: `pypid cert self-signed` makes one",
        ),
        ('certificates = "a.pem"', "[server] certificates: no address in `listen` has TLS, as 'tls:8443' has"),
        ('private_keys = "a.pem"', "[server] private_keys: there are no `certificates`"),
        ('client_ca = "a.pem"', "[server] client_ca: there are no `certificates`"),
        ('certificates = ["a.pem", "a.pem"]', "'a.pem' is listed twice"),
        ("certificates = 1", "expected a list of paths, got 1"),
        ('certificates = "~/a.pem"', "'~' is not expanded here"),
        ('client_certificates = "maybe"', 'expected "required" or "optional"'),
    ],
)
def test_what_does_not_fit(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(f"[server]\n{text}")
    assert len(caught.value.problems) == 1
    assert problem in caught.value.problems[0]


def test_setting_from_the_environment() -> None:
    """A problem is said of where it comes from."""
    with pytest.raises(ConfigError, match=r"^PYPID_SERVER__LISTEN: TLS needs"):
        parse_config("", {"PYPID_SERVER__LISTEN": "tls:8443"})


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", GUIDE, flags=re.DOTALL))
def test_what_the_guide_shows_is_right(text: str) -> None:
    assert parse_config(text).server.certificates


NOBODY = 65534
"""The user id of Debian's ``nobody``."""


class Files:
    """A directory with files of certificates and keys."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def put(self, name: str, content: bytes) -> Path:
        return write_secret(self.directory / name, content)

    def server(self, *certificates: Path, keys: tuple[Path, ...] = (), client_ca: Path | None = None) -> ServerConfig:
        return ServerConfig(certificates=certificates, private_keys=keys, client_ca=client_ca)

    def problem(self, server: ServerConfig) -> str:
        with pytest.raises(ConfigError) as caught:
            read_tls_files(server)
        (problem,) = caught.value.problems
        return problem.replace(str(self.directory), "")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_together_or_apart(files: Files) -> None:
    """The key is in the same file, or in another one of any order."""
    both = files.put("both.pem", ISSUED.pem)
    apart = files.put("apart.pem", OTHER.certificate_pem)
    unused, key = files.put("unused.pem", ISSUED.key_pem), files.put("key.pem", OTHER.key_pem)
    ca = files.put("ca.pem", AUTHORITY.pem)
    read = read_tls_files(files.server(both, apart, keys=(unused, key), client_ca=ca))
    assert [each.names for each in read.certificates] == [("index.test",), ("other.test",)]
    assert read.client_authorities == (AUTHORITY.certificate,)


def test_key_that_the_group_may_read(files: Files) -> None:
    """As Debian's ssl-cert has them."""
    path = files.put("both.pem", ISSUED.pem)
    path.chmod(0o640)
    assert len(read_tls_files(files.server(path)).certificates) == 1


def test_certificate_that_everybody_may_read(files: Files) -> None:
    """It is no secret."""
    path, key = files.put("certificate.pem", ISSUED.certificate_pem), files.put("key.pem", ISSUED.key_pem)
    path.chmod(0o644)
    assert len(read_tls_files(files.server(path, keys=(key,))).certificates) == 1


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o601])
def test_key_that_everybody_may_use(mode: int, files: Files) -> None:
    """D09: wherever it is."""
    path = files.put("both.pem", ISSUED.pem)
    path.chmod(mode)
    assert files.problem(files.server(path)) == (
        "[server] certificates: /both.pem: everybody may read or change this private key: chmod o= /both.pem"
    )


def test_what_is_wrong_with_one_file(files: Files) -> None:
    """D09. All of it may come right while files are being replaced."""
    good = files.put("good.pem", ISSUED.pem)
    key = files.put("key.pem", ISSUED.key_pem)
    certificate = files.put("certificate.pem", ISSUED.certificate_pem)
    empty = files.put("empty.pem", b"")
    half = files.put("half.pem", ISSUED.certificate_pem[:-30])
    encrypted = files.put("encrypted.pem", ISSUED.encrypted_key_pem)
    huge = files.put("huge.pem", b"#" * 2**21)
    nothing = files.directory / "nothing.pem"
    for server, problem in (
        (files.server(nothing), "certificates: /nothing.pem: No such file or directory"),
        (files.server(good, keys=(nothing,)), "private_keys: /nothing.pem: No such file or directory"),
        (files.server(files.directory), "certificates: : Is a directory"),
        (files.server(empty), "certificates: /empty.pem: there is no certificate in PEM form"),
        (files.server(half), "certificates: /half.pem: there is no certificate in PEM form"),
        (files.server(huge), "certificates: /huge.pem: more than 1048576 bytes are no certificate"),
        (files.server(certificate), "certificates: /certificate.pem: there is no private key for it"),
        (
            files.server(certificate, keys=(encrypted,)),
            "private_keys: /encrypted.pem: the private key has a passphrase",
        ),
        (files.server(certificate, keys=(empty,)), "private_keys: /empty.pem: there is no private key in PEM form"),
        (files.server(good, client_ca=key), "client_ca: /key.pem: there is no certificate in PEM form"),
        (
            files.server(files.put("other.pem", OTHER.certificate_pem), keys=(key,)),
            "certificates: /other.pem: none of the private keys belongs to it",
        ),
    ):
        assert files.problem(server).startswith(f"[server] {problem}")
        with pytest.raises(FilesUnsettled):
            read_tls_files(server)


def test_every_problem(files: Files) -> None:
    """And such as no waiting helps against are no matter of time."""
    weak = files.put("weak.pem", AUTHORITY.issue().pem)
    weaker = files.put("weaker.pem", AUTHORITY.issue().pem)
    with pytest.raises(ConfigError) as caught:
        read_tls_files(files.server(weak, weaker))
    assert len(caught.value.problems) == 2
    assert not isinstance(caught.value, FilesUnsettled)


def test_file_that_we_may_not_read() -> None:
    with TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        files = Files(Path(directory))
        path = files.put("both.pem", ISSUED.pem)
        path.chmod(0)
        user = os.geteuid()
        if user == 0:  # who may read everything
            os.seteuid(NOBODY)
        try:
            problem = files.problem(files.server(path))
        finally:
            os.seteuid(user)
    assert problem == "[server] certificates: /both.pem: Permission denied"
