"""``pypid token``: API tokens, of a pypid that runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar
from urllib.parse import quote

import click
import msgspec

from pypid.cli.printable import printable
from pypid.cli.reach import reaches_pypid
from pypid.config.units import NoQuantity, UnknownUnit, parse_duration
from pypid.domain.rights import Right
from pypid.domain.token_reports import DEFAULT_LIFETIME, MadeTokenReport, TokenReport, TokensReport

T = TypeVar("T")

NEVER = "never"


class Api(Protocol):
    """The management API."""

    def ask(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        query: Mapping[str, object] | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> T: ...


Reaches = Callable[[Callable[..., None]], Callable[..., None]]
"""Gives a command the options that say which pypid is meant, and for them an `Api`."""


class _Nothing(msgspec.Struct):
    pass


def token_commands(reaches: Reaches) -> click.Group:
    """Return ``pypid token``."""
    group = click.Group("token", help="Make, list and revoke API tokens, of users and of trusted publishers.")
    commands: dict[str, Callable[..., None]] = {"create": create, "list": list_, "revoke": revoke}
    for name, command in commands.items():
        group.add_command(click.command(name)(reaches(command)))
    return group


def _rights(_context: click.Context, _parameter: click.Parameter, value: str) -> list[str]:
    words = [word.strip() for word in value.split(",")]
    known = [right.value for right in Right]
    for word in words:
        if word not in known:
            raise click.BadParameter(f"{word!r} is none of {', '.join(known)}")
    return list(dict.fromkeys(words))


def _lifetime(_context: click.Context, _parameter: click.Parameter, value: str) -> float | None:
    if value == NEVER:
        return None
    try:
        return parse_duration(value)
    except (NoQuantity, UnknownUnit) as e:
        raise click.BadParameter(f"expected a time such as 90d or 12h, or {NEVER}, got {value!r}") from e


@click.option("--for", "user", metavar="NAME", help="In whose name it acts. [default: who signs in]")
@click.option("--index", metavar="NAME", help="The one index that it is for. [default: all]")
@click.option("--project", "projects", multiple=True, metavar="PATTERN", help="Its projects. [default: all]")
@click.option(
    "--rights", default=Right.UPLOAD.value, callback=_rights, help="read, upload, delete, admin. [default: upload]"
)
@click.option(
    "--expires",
    "lifetime",
    default=f"{DEFAULT_LIFETIME / 86400:.0f}d",
    callback=_lifetime,
    metavar="TIME",
    show_default=True,
    help=f"When it ends, from now on, or {NEVER}.",
)
@click.option("--description", default="", metavar="TEXT", help="What it is used for.")
def create(
    api: Api,
    *,
    user: str | None,
    index: str | None,
    projects: tuple[str, ...],
    rights: list[str],
    lifetime: float | None,
    description: str,
) -> None:
    """
    Make a token, and write it to stdout: this once.

    It never allows more than its user may do. Clients take it as the password
    of __token__, as a user name alone (https://TOKEN@host/simple/), or as a
    bearer token.
    """
    fields: dict[str, object] = {"rights": rights, "projects": projects, "lifetime": lifetime}
    fields |= {"description": description, "index": index, "user": user}
    made = api.ask("POST", "tokens", MadeTokenReport, fields=fields)
    click.echo(made.token)
    click.echo(f"pypid: made the token {_line(made.about)}", err=True)


@click.option("--all", "everybody", is_flag=True, help="Those of all users, for who may administer.")
@click.option("--json", "as_json", is_flag=True, help="One in a line, as JSON.")
def list_(api: Api, *, everybody: bool, as_json: bool) -> None:
    """List tokens, the oldest first: with their ids, never themselves.

    Expired ones are listed for 30 days.
    """
    for token in api.ask("GET", "tokens", TokensReport, query={"all": "true"} if everybody else None).tokens:
        click.echo(msgspec.json.encode(token) if as_json else _line(token))


@click.argument("ids", nargs=-1, required=True, metavar="ID...")
def revoke(api: Api, *, ids: tuple[str, ...]) -> None:
    """Have tokens work no more, from now on."""
    for token_id in ids:
        api.ask("DELETE", f"tokens/{quote(token_id, safe='')}", _Nothing)
        click.echo(f"revoked {token_id}")


def _line(token: TokenReport) -> str:
    projects = ", ".join(token.projects) or "all projects"
    line = f"{token.id} of {token.user}: {', '.join(token.rights)}, {projects} of {token.index or 'all indexes'}, "
    line += "does not expire" if token.expires_at is None else f"expires {token.expires_at}"
    line += ", never used" if token.last_used is None else f", last used {token.last_used}"
    line += f" ({token.description})" if token.description else ""
    # A description is what somebody wrote, or what an issuer signed.
    return printable(line)


token = token_commands(reaches_pypid)
