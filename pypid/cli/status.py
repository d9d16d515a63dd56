"""``pypid status``: whether a project is still cared for."""

from __future__ import annotations

import click

from pypid.cli.api import path_of
from pypid.cli.reach import Reached, project_of, reaches_index
from pypid.cli.show import AS_UPSTREAM
from pypid.domain.files import Status
from pypid.domain.reports import ChangeReport, ProjectReport


@click.command()
@click.argument("project")
@click.argument("status", type=click.Choice([status.value for status in Status]))
@click.option("--reason", default="", metavar="TEXT", help="Why; installers may show it.")
@reaches_index
def status(reached: Reached, project: str, status: str, reason: str) -> None:
    """Say how PROJECT is cared for (PEP 792).

    An archived project takes no uploads; one in quarantine offers no files either. Of a mirror, active is what upstream
    says.
    """
    path = path_of(reached.index, project_of(project))
    if status == Status.ACTIVE.value:
        report = reached.api.ask("DELETE", f"{path}/status", ChangeReport)
    else:
        report = reached.api.ask("PUT", f"{path}/status", ChangeReport, fields={"status": status, "reason": reason})
    # It may be another one: upstream's, or quarantine where the project is blocked.
    found = reached.api.ask("GET", path, ProjectReport)
    since = "still" if found.status not in {status, None} else "now" if report.changed else "already"
    click.echo(f"{found.project} in {found.index} is {since} {found.status or AS_UPSTREAM}")
