"""``pypid show``: all that is known of a project."""

from __future__ import annotations

from collections.abc import Iterator

import click
import msgspec

from pypid.cli.api import path_of
from pypid.cli.printable import printable
from pypid.cli.reach import Reached, project_of, reaches_index
from pypid.domain.reports import FileReport, ProjectReport, RuleReport

AS_UPSTREAM = "as upstream says"
"""The status of a project that has none of ours."""


@click.command()
@click.argument("project")
@click.option("--json", "as_json", is_flag=True, help="As the API says it.")
@reaches_index
def show(reached: Reached, project: str, *, as_json: bool) -> None:
    """Show what is known of PROJECT.

    Its files in one index, and what was done to them; of a mirror, what is laid over the project here.
    """
    report = reached.api.ask("GET", path_of(reached.index, project_of(project)), ProjectReport)
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    for line in _lines(report):
        click.echo(printable(line))


def _lines(report: ProjectReport) -> Iterator[str]:
    status = report.status or AS_UPSTREAM
    yield f"{report.project} in {report.index}: {status}" + (
        f": {report.status_reason}" if report.status_reason else ""
    )
    for release in report.releases:
        yield f"{release.version}: {release.downloads} downloads"
        yield from map(_file, release.files)
    for gone in report.tombstones:
        yield f"deleted: {gone.filename}, by {gone.deleted_by} at {gone.deleted_at}"
    yield from map(_rule, report.rules)


def _file(file: FileReport) -> str:
    said = f"  {file.filename}, {file.size} bytes, uploaded by {file.uploaded_by} at {file.uploaded_at}"
    if file.yanked is None:
        return said
    return f"{said}, yanked" + (f": {file.yanked}" if file.yanked else "")


def _rule(rule: RuleReport) -> str:
    subject = rule.filename or rule.version or "the project"
    return f"here: {rule.status or rule.kind} {subject}" + (f": {rule.reason}" if rule.reason else "")
