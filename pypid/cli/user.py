"""``pypid user``: the people who may sign in, kept in the htpasswd file."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import click

from pypid.cli.configuration import load_or_exit
from pypid.cli.htpasswd_file import CannotEdit, edit_htpasswd, read_htpasswd
from pypid.cli.password import PasswordRefused, ask_password, hash_password
from pypid.cli.running import running_pid
from pypid.domain.htpasswd import (
    HtpasswdError,
    InvalidUserName,
    check_user_name,
    list_users,
    parse_htpasswd,
    remove_user,
    set_user,
)

EMPTIED = "# no users\n"
"""What is left of a file without its last line: a reload takes an empty one for an accident."""

F = TypeVar("F", bound=Callable[..., object])


class Refused(Exception):
    """What was asked for is not done; the message says why."""


class Place(NamedTuple):
    """The file that a command works on."""

    htpasswd: Path
    data: Path | None
    """The data directory of the daemon that reads the file; None if it is not known."""
    bcrypt_only: bool = False


@click.group()
def user() -> None:
    """Add, change, remove and list the people who may sign in."""


def _place_options(command: F) -> F:
    path = click.Path(path_type=Path)
    config = click.option("--config", type=path, metavar="FILE", help="The configuration that names the file.")
    htpasswd = click.option("--htpasswd", type=path, metavar="PATH", help="The file itself.")
    return config(htpasswd(command))


def _stdin_option(command: F) -> F:
    return click.option("--stdin", is_flag=True, help="Read the password from one line of standard input.")(command)


@user.command()
@click.argument("name")
@_place_options
@_stdin_option
def add(name: str, config: Path | None, htpasswd: Path | None, *, stdin: bool) -> None:
    """Add the user NAME."""
    place = _find(config, htpasswd)
    with _refusals():
        _expect(place, name, read_htpasswd(place.htpasswd), known=False)
        password_hash = hash_password(ask_password(stdin=stdin))
        # Asked again: the file may have changed while the password was typed.
        edit_htpasswd(
            place.htpasswd, lambda text: set_user(_expect(place, name, text, known=False), name, password_hash)
        )
    _report(place, f"added the user {name!r} to")


@user.command()
@click.argument("name")
@_place_options
@_stdin_option
def passwd(name: str, config: Path | None, htpasswd: Path | None, *, stdin: bool) -> None:
    """Change the password of the user NAME."""
    place = _find(config, htpasswd)
    with _refusals():
        _expect(place, name, read_htpasswd(place.htpasswd), known=True)
        password_hash = hash_password(ask_password(stdin=stdin))
        edit_htpasswd(
            place.htpasswd, lambda text: set_user(_expect(place, name, text, known=True), name, password_hash)
        )
    _report(place, f"changed the password of the user {name!r} in")


@user.command()
@click.argument("name")
@_place_options
def remove(name: str, config: Path | None, htpasswd: Path | None) -> None:
    """Remove the user NAME."""
    place = _find(config, htpasswd)
    with _refusals():
        _expect(place, name, read_htpasswd(place.htpasswd), known=True)
        edit_htpasswd(place.htpasswd, lambda text: remove_user(_expect(place, name, text, known=True), name) or EMPTIED)
    _report(place, f"removed the user {name!r} from")


@user.command("list")
@_place_options
def list_(config: Path | None, htpasswd: Path | None) -> None:
    """List the users, one on a line.

    On stderr: what keeps any of them from signing in, and whose password should be set anew.
    """
    place = _find(config, htpasswd)
    with _refusals():
        text = read_htpasswd(place.htpasswd)
        names = list_users(text)
        for name in names:
            click.echo(name)
        if not names:
            click.echo(f"there are no users in {place.htpasswd}", err=True)
        try:
            users = parse_htpasswd(text, bcrypt_only=place.bcrypt_only)
        except HtpasswdError as e:
            raise Refused(f"{place.htpasswd}: {e}") from e
        for line in (*users.problems, *users.warnings):
            click.echo(f"{place.htpasswd}: {line}", err=True)


def _find(config: Path | None, htpasswd: Path | None) -> Place:
    """Return the place; a file given by itself needs no configuration, not even a sound one."""
    if htpasswd is not None and config is None:
        return Place(htpasswd, None)
    loaded = load_or_exit(config)
    return Place(htpasswd or loaded.users.htpasswd, loaded.server.data, loaded.users.bcrypt_only)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what can go wrong into a line on stderr and exit code 1."""
    try:
        yield
    except (Refused, CannotEdit, InvalidUserName, PasswordRefused) as e:
        click.echo(f"pypid: {e}", err=True)
        sys.exit(1)


def _expect(place: Place, name: str, text: str, *, known: bool) -> str:
    """Return ``text``; raises `Refused` if the user is in it against expectation, or is not."""
    check_user_name(name)
    if (name in list_users(text)) == known:
        return text
    if known:
        raise Refused(f"there is no user {name!r} in {place.htpasswd}")
    change = f"pypid user passwd {shlex.quote(name)}"
    raise Refused(f"there is already a user {name!r} in {place.htpasswd}: to change the password, use `{change}`")


def _report(place: Place, done: str) -> None:
    click.echo(f"{done} {place.htpasswd}")
    pid = None if place.data is None else running_pid(place.data)
    if pid is not None:
        click.echo(f"The running pypid reads the file on SIGHUP: kill -HUP {pid}")
        return
    looked = "" if place.data is None else f"; none was found running on {place.data}"
    click.echo(f"A running pypid reads the file on SIGHUP, kill -HUP and its process id{looked}.")
