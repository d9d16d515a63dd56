"""``pypid delete``: files that were uploaded, gone for good."""

from __future__ import annotations

import click
from packaging.version import Version

from pypid.cli.api import path_of, project_path
from pypid.cli.printable import printable
from pypid.cli.reach import Reached, names_subject, reaches_index
from pypid.domain.reports import ChangeReport, ProjectReport
from pypid.domain.subject import Subject


@click.command()
@names_subject
@click.option("--reason", default="", metavar="TEXT", help="Why; the audit log keeps it.")
@click.option(
    "--release-name", is_flag=True, help="Of a project: give up its name too. The index's bases are asked for it again."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and let it stay.")
@reaches_index
def delete(reached: Reached, subject: Subject, reason: str, *, release_name: bool, yes: bool, dry_run: bool) -> None:
    """Delete PROJECT, or a release or a file of it.

    No other bytes can be published under the names of the files afterwards, unless the index is volatile. To yank is
    kinder to those who depend on it.
    """
    if release_name and (subject.version is not None or subject.filename is not None):
        raise click.UsageError("--release-name is for a project as a whole.")
    files = _files(reached, subject)
    for filename in files:
        click.echo(f"{printable(filename)}: {'would go' if dry_run else 'to be deleted'}")
    if dry_run:
        if release_name:
            click.echo(f"{subject.project}: its name would be free")
        elif not files:
            click.echo(f"{printable(str(subject))}: nothing of it would go")
        return
    if not yes and (files or release_name):
        also = " and give up the name" if release_name else ""
        click.confirm(f"Delete {len(files)} of {subject} in {reached.index}{also}?", abort=True)
    _delete(reached, subject, reason, release_name=release_name)


def _delete(reached: Reached, subject: Subject, reason: str, *, release_name: bool) -> None:
    query: dict[str, object] = {"reason": reason} if reason else {}
    if release_name:
        query["release_name"] = "true"
    report = reached.api.ask("DELETE", path_of(reached.index, subject), ChangeReport, query=query)
    for filename in report.files:
        click.echo(f"{printable(filename)}: deleted from {reached.index}")
    if release_name:
        click.echo(f"{subject.project}: its name in {reached.index} is free")
    elif not report.files:
        click.echo(f"{subject}: nothing of it is in {reached.index}")


def _files(reached: Reached, subject: Subject) -> list[str]:
    """Return the names of the files that are meant; there may be none."""
    project = reached.api.ask("GET", project_path(reached.index, subject.project), ProjectReport)
    return [
        file.filename
        for release in project.releases
        for file in release.files
        if subject.covers(filename=file.filename, version=Version(file.version))
    ]
