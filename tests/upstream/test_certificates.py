"""Certificates in files, and a machine that has none (A49)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from pypid.config import MirrorConfig
from pypid.upstream.certificates import (
    Authorities,
    BadCertificates,
    read_authorities,
    read_identity,
    system_authorities,
)
from pypid.upstream.tls import read_policy

ONE, OTHER = trustme.CA(), trustme.CA()
OURS = ONE.create_child_ca().issue_cert("pypid.test")
ONE_PEM, OTHER_PEM = ONE.cert_pem.bytes(), OTHER.cert_pem.bytes()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def write(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    return write


def subjects(authorities: Authorities) -> list[str]:
    return [str(each.to_cryptography().subject) for each in authorities.certificates]


def subject(authority: trustme.CA, write: Callable[[str, bytes], Path]) -> str:
    return subjects(read_authorities(write("subject.pem", authority.cert_pem.bytes())))[0]


def test_several_authorities_in_a_file_with_comments(write: Callable[[str, bytes], Path]) -> None:
    path = write("ca.pem", b"# One\n" + ONE_PEM + b"\nOther\n" + OTHER_PEM + ONE_PEM)
    assert subjects(read_authorities(path)) == [subject(ONE, write), subject(OTHER, write)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "there is no certificate in PEM form"),
        (b"\x30\x82\x01\x02", "there is no certificate in PEM form"),
        (OURS.private_key_pem.bytes(), "there is no certificate in PEM form"),
        (ONE_PEM + ONE_PEM.replace(b"\nMII", b"\nXXX"), "certificate 2 is damaged"),
    ],
)
def test_files_that_are_of_no_use(write: Callable[[str, bytes], Path], content: bytes, problem: str) -> None:
    path = write("ca.pem", content)
    with pytest.raises(BadCertificates, match=f"{path}: {problem}"):
        read_authorities(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.pem", tmp_path):
        with pytest.raises(BadCertificates, match=f"{path}: "):
            read_authorities(path)


class TestSystem:
    def test_the_first_of_the_usual_places(self, write: Callable[[str, bytes], Path], tmp_path: Path) -> None:
        places = [tmp_path / "gone.pem", write("one.pem", ONE_PEM), write("other.pem", OTHER_PEM)]
        assert subjects(system_authorities({}, places)) == [subject(ONE, write)]

    def test_variables_take_their_place(self, write: Callable[[str, bytes], Path], tmp_path: Path) -> None:
        usual, named = write("one.pem", ONE_PEM), write("other.pem", OTHER_PEM)
        assert subjects(system_authorities({"SSL_CERT_FILE": str(named)}, [usual])) == [subject(OTHER, write)]
        write("folder/other.pem", OTHER_PEM)
        write("folder/README", b"These are those whom we trust.")
        (tmp_path / "folder" / "0123abcd.0").symlink_to("other.pem")
        (tmp_path / "folder" / "dangling.pem").symlink_to("gone")
        environ = {"SSL_CERT_DIR": f"{tmp_path / 'folder'}:", "SSL_CERT_FILE": ""}
        assert subjects(system_authorities(environ, [usual])) == [subject(OTHER, write)]

    def test_a49_a_machine_without_any(self, tmp_path: Path) -> None:
        with pytest.raises(BadCertificates, match=r"ca-certificates.*ca_file.*SSL_CERT_FILE"):
            system_authorities({}, [tmp_path / "gone.pem"])
        for environ in ({"SSL_CERT_FILE": str(tmp_path / "gone.pem")}, {"SSL_CERT_DIR": str(tmp_path / "gone")}):
            with pytest.raises(BadCertificates, match="gone"):
                system_authorities(environ, [])


class TestIdentity:
    CHAIN = b"".join(pem.bytes() for pem in OURS.cert_chain_pems)

    def test_a_certificate_those_above_it_and_the_key(self, write: Callable[[str, bytes], Path]) -> None:
        together = write("ours.pem", OURS.private_key_pem.bytes() + self.CHAIN)
        apart = write("cert.pem", self.CHAIN), write("key.pem", OURS.private_key_pem.bytes())
        for paths in ((together, together), apart):
            identity = read_identity(*paths)
            assert len(identity.chain) == 1
            assert "PRIVATE" not in repr(identity)

    def test_a_key_of_another_certificate(self, write: Callable[[str, bytes], Path]) -> None:
        other = write("other.key", OTHER.issue_cert("pypid.test").private_key_pem.bytes())
        with pytest.raises(BadCertificates, match=f"{other}: this is not the key of"):
            read_identity(write("cert.pem", self.CHAIN), other)

    def test_a_key_that_nobody_can_read(self, write: Callable[[str, bytes], Path]) -> None:
        """A passphrase is not asked for: there may be no terminal, and a reload has none."""
        key = load_pem_private_key(OURS.private_key_pem.bytes(), None)
        locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
        for content in (b"", locked, ONE_PEM):
            path = write("bad.key", content)
            with pytest.raises(BadCertificates, match="no private key in PEM form, or it has a passphrase"):
                read_identity(write("cert.pem", self.CHAIN), path)


def mirror(**more: Any) -> MirrorConfig:
    return MirrorConfig(**{"upstream": "https://upstream.test/simple/", **more})


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"ca_file": Path("/gone/ca.pem")}, "ca_file: /gone/ca.pem: "),
        ({"client_certificate": Path("/gone/us.pem")}, "client_certificate: /gone/us.pem: "),
        ({"client_key": Path("/gone/us.key")}, "client_key: there is no client_certificate"),
        ({"upstream": "http://upstream.test/", "client_certificate": Path("/gone/us.pem")}, "only an https upstream"),
    ],
)
def test_problems_name_the_setting(settings: dict[str, Any], problem: str, write: Callable[[str, bytes], Path]) -> None:
    with pytest.raises(BadCertificates, match=problem):
        read_policy(mirror(**settings), {"SSL_CERT_FILE": str(write("ca.pem", ONE_PEM))})


def test_a49_only_an_https_upstream_needs_authorities(tmp_path: Path) -> None:
    environ = {"SSL_CERT_FILE": str(tmp_path / "gone.pem")}
    read_policy(mirror(upstream="http://upstream.test/"), environ)
    with pytest.raises(BadCertificates, match=r"gone\.pem"):
        read_policy(mirror(), environ)


def test_a_changed_file_makes_another_policy(write: Callable[[str, bytes], Path]) -> None:
    settings = mirror(ca_file=write("ca.pem", ONE_PEM))
    before = read_policy(settings, {}).key
    assert read_policy(settings, {}).key == before
    write("ca.pem", OTHER_PEM)
    assert read_policy(settings, {}).key != before
