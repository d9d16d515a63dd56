"""``pypid cert``: a certificate for a LAN, where nobody else issues one."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from pypid.cli.certificate_files import (
    CA,
    CA_KEY,
    OPEN,
    SECRET,
    CannotWrite,
    pem_of,
    read_authority,
    read_certificate,
    replace,
    write_new,
)
from pypid.cli.configuration import load_or_exit
from pypid.domain.certificates import BadCertificate, names_of
from pypid.domain.private_authority import (
    MOST_DAYS,
    Authority,
    host_name,
    issue,
    new_authority,
    new_key,
    renewed_names,
)

_days = click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    default=MOST_DAYS,
    show_default=True,
    help="For how long the certificate is valid.",
)


@click.group()
def cert() -> None:
    """Certificates for TLS."""


@cert.command("self-signed")
@click.option("--name", "names", multiple=True, required=True, help="A host's name or IP address, as clients use it.")
@click.option(
    "--out", "directory", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="The directory."
)
@_days
def self_signed(names: tuple[str, ...], directory: Path, days: int) -> None:
    """Make an authority of your own, and a certificate of it.

    The first --name names the file. Where the directory has the authority of an earlier time, that one issues the
    certificate, if it may. Nothing is ever overwritten.
    """
    with _refusals():
        for name in names:
            host_name(name)
        path = directory / f"{names[0].replace('*', '_').replace(':', '_').lower()}.pem"
        if path.exists():
            raise CannotWrite(f"{path} is there already: `pypid cert renew {shlex.quote(str(path))}` renews it")
        directory.mkdir(parents=True, exist_ok=True)
        authority = read_authority(directory) or _begin_authority(names, directory)
        key = new_key()
        certificate = issue(authority, names, key, datetime.now(UTC), days)
        write_new(path, pem_of(key, certificate), SECRET)
    click.echo(f"{path}: for {', '.join(names_of(certificate))}, until {certificate.not_valid_after_utc:%Y-%m-%d}\n")
    click.echo(_what_to_do(path.absolute(), (directory / CA).absolute()))


@cert.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_days
def renew(file: Path, days: int) -> None:
    """Replace a certificate that `self-signed` has made by a new one of the same authority.

    Clients need nothing new. The certificate and its key are replaced as one.
    """
    with _refusals():
        old = read_certificate(file)
        authority = read_authority(file.parent)
        if authority is None:
            raise CannotWrite(f"{file.parent} has no {CA} and {CA_KEY} to issue another one with")
        if old.issuer != authority.certificate.subject:
            raise BadCertificate(f"{file} is not of the authority in {file.parent / CA}")
        key = new_key()
        certificate = issue(authority, renewed_names(old), key, datetime.now(UTC), days)
        replace(file, pem_of(key, certificate))
    click.echo(f"{file}: until {certificate.not_valid_after_utc:%Y-%m-%d}. A running pypid reads it on SIGHUP.")


@cert.command()
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path, dir_okay=False))
def show(files: tuple[Path, ...]) -> None:
    """Say for which names certificates are, and until when.

    Without FILE: those that the configuration names. Exits with 1 if one has expired.
    """
    now = datetime.now(UTC)
    expired = False
    with _refusals():
        for file in files or load_or_exit(None).server.certificates:
            certificate = read_certificate(file)
            days = (certificate.not_valid_after_utc - now).days
            expired = expired or days < 0
            click.echo(f"{file}")
            click.echo(f"  names   {', '.join(names_of(certificate)) or 'none'}")
            click.echo(f"  valid   {certificate.not_valid_before_utc:%Y-%m-%d} to ", nl=False)
            left = "expired" if days < 0 else f"{days} days left"
            click.echo(f"{certificate.not_valid_after_utc:%Y-%m-%d} ({left})")
            click.echo(f"  issuer  {certificate.issuer.rfc4514_string()}")
    if expired:
        sys.exit(1)


def _begin_authority(names: tuple[str, ...], directory: Path) -> Authority:
    authority = new_authority(names, new_key(), datetime.now(UTC))
    # The key first: a certificate without it would be in the way of the next try.
    write_new(directory / CA_KEY, pem_of(authority.key), SECRET)
    write_new(directory / CA, pem_of(None, authority.certificate), OPEN)
    return authority


def _what_to_do(path: Path, ca: Path) -> str:
    config = f'  listen = ["tls:8443"]\n  certificates = ["{path}"]'
    quoted = shlex.quote(str(ca))
    owner = ""
    if os.geteuid() == 0:
        owner = f"The user that runs pypid must be able to read it:\n\n  chown USER {shlex.quote(str(path))}\n\n"
    return f"""\
In pypid.conf, in the table [server]:

{config}

{owner}Each client must trust {ca}, which is no secret:

  pip      pip config set global.cert {quoted}     (or PIP_CERT={quoted})
  uv       SSL_CERT_FILE={quoted}                  (or --system-certs, see below)
  twine    TWINE_CERT={quoted}
  poetry   poetry config certificates.NAME.cert {quoted}
  curl     --cacert {quoted}

For all programs of a machine, which pip since 24.2 is content with, and uv with UV_SYSTEM_CERTS=1:

  Debian, Ubuntu   cp {quoted} /usr/local/share/ca-certificates/pypid.crt && update-ca-certificates
  Fedora, RHEL     cp {quoted} /etc/pki/ca-trust/source/anchors/pypid.pem && update-ca-trust

{ca.with_name(CA_KEY)} is the secret: who has it can be pypid to all who trust it. It is needed for
`pypid cert renew` only, and best kept on another machine."""


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what can go wrong into a line on stderr and exit code 1."""
    try:
        yield
    except (CannotWrite, BadCertificate) as e:
        click.echo(f"pypid: {e}", err=True)
        sys.exit(1)
    except OSError as e:
        click.echo(f"pypid: {e.filename}: {e.strerror}", err=True)
        sys.exit(1)
