"""``pypid check-config``: what a start or a reload would say to a configuration."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from pypid.cli.configuration import load_or_exit
from pypid.cli.htpasswd_file import CannotEdit, read_htpasswd
from pypid.config import Config, ConfigError, DirectoryConfig, IndexConfig, MirrorConfig, ServerConfig, UsersConfig
from pypid.config.certificate_files import read_tls_files
from pypid.config.group_files import load_groups, unknown_users
from pypid.config.tables import quote_key
from pypid.config.writable import writable_by_others
from pypid.domain.certificates import time_problem, warning_of
from pypid.domain.htpasswd import Htpasswd, HtpasswdError, parse_htpasswd
from pypid.inspection.verifying import can_verify, problems_of_setup
from pypid.storage.loose_tree import survey
from pypid.upstream.certificates import BadCertificates
from pypid.upstream.tls import read_policy


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def check_config(file: Path | None) -> None:
    """Say what is wrong with a configuration.

    The PYPID_ variables of the environment are checked together with FILE. Without FILE, it is the one that the
    daemon would read: that of PYPID_CONFIG, else /etc/pypid.conf, else the built-in defaults. The files of users and
    groups and the certificates are read as well; what keeps some users from signing in, or clients from accepting a
    certificate, is said on stderr. Exits with 78 if anything is so wrong that the daemon would not start, having said
    all that is.
    """
    config = load_or_exit(file)
    problems = [
        *_problems_of_certificates(config),
        *problems_of_setup(config.verifying, config.server.sigstore_root, installed=can_verify()),
        *_check_tls(config.server),
    ]
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(os.EX_CONFIG)
    users = _check_users(config.users)
    _check_groups(config, users)
    for warning in writable_by_others(config):
        click.echo(warning, err=True)
    for warning in _unreadable_directories(config):
        click.echo(warning, err=True)
    click.echo(f"{config.source}: ok")
    click.echo(f"  listen  {', '.join(config.server.listen)}")
    click.echo(f"  data    {config.server.data}")
    click.echo(f"  users   {config.users.htpasswd}")
    for name, index in config.indexes.items():
        default = " (default)" if name == config.server.default_index else ""
        click.echo(f"  index   {name}: {_describe(index)}{default}")


def _problems_of_certificates(config: Config) -> Iterator[str]:
    for name, index in config.indexes.items():
        if isinstance(index, MirrorConfig):
            try:
                read_policy(index, os.environ)
            except BadCertificates as e:
                yield f"[index.{quote_key(name)}] {e}"


def _unreadable_directories(config: Config) -> Iterator[str]:
    """Say which directories, or what below them, cannot be read by who asks; a daemon would start, and wait for it."""
    for name, index in config.indexes.items():
        if isinstance(index, DirectoryConfig):
            for root in index.directory:
                try:
                    survey([str(root)])
                except OSError as e:
                    where = f"[index.{quote_key(name)}] directory"
                    yield f"{where}: {e.filename}: {e.strerror}: it is served when it can be read"


def _check_groups(config: Config, users: Htpasswd) -> None:
    try:
        given = load_groups(config)
    except ConfigError as e:
        for problem in e.problems:
            click.echo(problem, err=True)
        sys.exit(os.EX_CONFIG)
    for line in (*given.problems, *unknown_users(config, users.hashes.keys())):
        click.echo(line, err=True)


def _check_tls(server: ServerConfig) -> tuple[str, ...]:
    """Return what is wrong with the certificates; say on stderr what does not keep a daemon from starting."""
    try:
        certificates = read_tls_files(server).certificates
    except ConfigError as e:
        return e.problems
    for path, certificate in zip(server.certificates, certificates, strict=True):
        for warning in (warning_of(certificate), time_problem(certificate, time.time())):
            if warning is not None:
                click.echo(f"{path}: {warning}", err=True)
    return ()


def _check_users(config: UsersConfig) -> Htpasswd:
    try:
        users = parse_htpasswd(read_htpasswd(config.htpasswd), bcrypt_only=config.bcrypt_only)
    except CannotEdit as e:
        click.echo(f"[users] htpasswd: {e}", err=True)
        sys.exit(os.EX_CONFIG)
    except HtpasswdError as e:
        click.echo(f"[users] htpasswd: {config.htpasswd} cannot be used: {e}", err=True)
        sys.exit(os.EX_CONFIG)
    for line in (*users.problems, *users.warnings):
        click.echo(f"{config.htpasswd}: {line}", err=True)
    return users


def _describe(index: IndexConfig) -> str:
    if isinstance(index, MirrorConfig):
        return f"mirror of {index.upstream}"
    if isinstance(index, DirectoryConfig):
        return f"files in {', '.join(map(str, index.directory))}"
    return f"hosted, then {', '.join(index.bases)}" if index.bases else "hosted"
