"""``pypid token``: API tokens, of a pypid that runs."""

from __future__ import annotations

from urllib.parse import quote

import click
import msgspec

from pypid.cli.api import ApiClient
from pypid.cli.printable import printable
from pypid.cli.reach import reaches_pypid
from pypid.config.units import NoQuantity, UnknownUnit, parse_duration
from pypid.domain.reports import Report
from pypid.domain.rights import Right
from pypid.domain.token_reports import MadeTokenReport, TokenReport, TokensReport
from pypid.domain.tokens import DEFAULT_LIFETIME

NEVER = "never"


@click.group()
def token() -> None:
    """Make, list and revoke API tokens."""


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


@token.command()
@click.option("--for", "owner", metavar="NAME", help="In whose name it acts: who signs in, if nobody is named.")
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
@reaches_pypid
def create(
    api: ApiClient,
    *,
    owner: str | None,
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
    fields |= {"description": description, "index": index, "user": owner}
    made = api.ask("POST", "tokens", MadeTokenReport, fields=fields)
    click.echo(made.token)
    click.echo(f"pypid: made the token {_line(made.about)}", err=True)


@token.command(name="list")
@click.option("--all", "everybody", is_flag=True, help="Those of all users, for who may administer.")
@click.option("--json", "as_json", is_flag=True, help="One in a line, as JSON.")
@reaches_pypid
def list_(api: ApiClient, *, everybody: bool, as_json: bool) -> None:
    """List tokens, the oldest first: with their ids, never themselves.

    Expired ones are listed for 30 days.
    """
    for each in api.ask("GET", "tokens", TokensReport, query={"all": "true"} if everybody else None).tokens:
        click.echo(msgspec.json.encode(each) if as_json else _line(each))


@token.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@reaches_pypid
def revoke(api: ApiClient, *, ids: tuple[str, ...]) -> None:
    """Have tokens work no more, from now on."""
    for token_id in ids:
        api.ask("DELETE", f"tokens/{quote(token_id, safe='')}", Report)
        click.echo(f"revoked {token_id}")


def _line(told: TokenReport) -> str:
    projects = ", ".join(told.projects) or "all projects"
    line = f"{told.id} of {told.user}: {', '.join(told.rights)}, {projects} of {told.index or 'all indexes'}, "
    line += "does not expire" if told.expires_at is None else f"expires {told.expires_at}"
    line += ", never used" if told.last_used is None else f", last used {told.last_used}"
    line += f" ({told.description})" if told.description else ""
    # A description is what somebody wrote, or what an issuer signed.
    return printable(line)
