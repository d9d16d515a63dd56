"""``pypid status``: whether a project is still cared for."""

from __future__ import annotations

import click

from pypid.cli.api import path_of
from pypid.cli.reach import Reached, project_of, reaches_index
from pypid.domain.files import Status
from pypid.domain.reports import ChangeReport


@click.command()
@click.argument("project")
@click.argument("status", type=click.Choice([status.value for status in Status]))
@click.option("--reason", default="", metavar="TEXT", help="Why; installers may show it.")
@reaches_index
def status(reached: Reached, project: str, status: str, reason: str) -> None:
    """Say how PROJECT is cared for (PEP 792).

    An archived project takes no uploads; one in quarantine offers no files either.
    """
    path = f"{path_of(reached.index, project_of(project))}/status"
    if status == Status.ACTIVE.value:
        report = reached.api.ask("DELETE", path, ChangeReport)
    else:
        report = reached.api.ask("PUT", path, ChangeReport, fields={"status": status, "reason": reason})
    click.echo(f"{project} in {reached.index} is {'now' if report.changed else 'already'} {status}")
