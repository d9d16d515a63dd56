"""Which pypid a command is for, and the index of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click
from packaging.version import Version

from pypid.cli.api import ApiClient, LocalApi, Refused, RemoteApi, Unreachable
from pypid.cli.configuration import load_or_exit
from pypid.cli.printable import printable
from pypid.domain.filenames import UnknownFilename, parse_filename
from pypid.domain.names import InvalidName, normalize_name
from pypid.domain.reports import RootReport
from pypid.domain.subject import Subject

PASSWORD_VARIABLE = "PYPID_PASSWORD"  # noqa: S105 (the name of a variable)
"""Where the password is taken from, so that a script need not type it."""


class Reached:
    """An index of a pypid."""

    def __init__(self, api: ApiClient, index: str | None) -> None:
        """``index``: None is the default one."""
        self.api = api
        self._index = index

    @property
    def index(self) -> str:
        """Its name; pypid is asked for that of the default one. Raises what `ApiClient.ask` does."""
        if self._index is None:
            self._index = self.api.ask("GET", "", RootReport).default_index
        if self._index is None:
            raise Refused("name an index that you may use, with --index")
        return self._index


def reaches_pypid(command: Callable[..., None]) -> Callable[..., None]:
    """
    Give ``command`` the options that say which pypid is meant, and for them an `ApiClient`.

    What is refused, or cannot be reached, is told on stderr, with exit code 1 or 69.
    """

    @wraps(command)
    def reaching(config: Path | None, url: str | None, user: str | None, **rest: Any) -> None:
        with told():
            command(_api(config, url, user), **rest)

    for option in (
        click.option("--user", metavar="NAME", help=f"Who signs in at --url, with {PASSWORD_VARIABLE} or as asked."),
        click.option("--url", metavar="URL", help="A pypid elsewhere, such as https://pypi.example.com/."),
        click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="That of the pypid here."),
    ):
        reaching = option(reaching)
    return reaching


def reaches_index(command: Callable[..., None]) -> Callable[..., None]:
    """As `reaches_pypid`, with an option for the index: ``command`` is given a `Reached`."""

    @wraps(command)
    def choosing(api: ApiClient, index: str | None, **rest: Any) -> None:
        command(Reached(api, index), **rest)

    option = click.option("--index", metavar="NAME", help="The index. [default: the one at /simple/]")
    return option(reaches_pypid(choosing))


def names_subject(command: Callable[..., None]) -> Callable[..., None]:
    """Give ``command`` the argument and the options that say what it is about, and for them a `Subject`."""

    @wraps(command)
    def naming(*args: Any, project: str, version: str | None, filename: str | None, **rest: Any) -> None:
        command(*args, subject=_subject(project, version, filename), **rest)

    for parameter in (
        click.option("--file", "filename", metavar="FILENAME", help="One file of it alone."),
        click.option("--version", metavar="VERSION", help="One release of it alone."),
        click.argument("project"),
    ):
        naming = parameter(naming)
    return naming


def project_of(text: str) -> Subject:
    """Return a project as a whole; `click.BadParameter` if that is no name of one."""
    return _subject(text, None, None)


def _subject(project: str, version: str | None, filename: str | None) -> Subject:
    if version is not None and filename is not None:
        raise click.UsageError("Give --version or --file, not both.")
    try:
        parsed = None if version is None else Version(version)
        if filename is not None:
            parse_filename(filename)
        return Subject(project=normalize_name(project), version=parsed, filename=filename)
    except InvalidName as e:
        raise click.BadParameter(str(e), param_hint="PROJECT") from e
    except UnknownFilename as e:
        raise click.BadParameter(str(e), param_hint="--file") from e
    except ValueError as e:
        raise click.BadParameter(str(e), param_hint="--version") from e


def _api(config: Path | None, url: str | None, user: str | None) -> ApiClient:
    if url is None:
        if user is not None:
            raise click.UsageError("--user is for --url: nobody signs in to the pypid here.")
        return LocalApi(load_or_exit(config).server.data)
    if user is None or config is not None:
        raise click.UsageError("--url needs --user, and no --config.")
    password = os.environ.get(PASSWORD_VARIABLE)
    if password is None:
        password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    return RemoteApi(url, user, password)


@contextmanager
def told() -> Iterator[None]:
    """Tell on stderr what could not be reached (exit code 69), or was refused (1)."""
    try:
        yield
    except Unreachable as e:
        click.echo(f"pypid: {printable(str(e))}", err=True)
        sys.exit(os.EX_UNAVAILABLE)
    except Refused as e:
        for line in str(e).splitlines():
            click.echo(f"pypid: {printable(line)}", err=True)
        sys.exit(1)
