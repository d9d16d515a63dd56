"""``pypid yank``, ``block`` and what takes them back: marks on releases that stay where they are."""

from __future__ import annotations

import click

from pypid.cli.api import path_of
from pypid.cli.printable import printable
from pypid.cli.reach import Reached, names_subject, reaches_index
from pypid.domain.reports import ChangeReport
from pypid.domain.subject import Subject

_reason = click.option("--reason", default="", metavar="TEXT", help="Why; installers show it.")


@click.command()
@names_subject
@_reason
@reaches_index
def yank(reached: Reached, subject: Subject, reason: str) -> None:
    """Yank PROJECT, or a release or a file of it.

    Installers pass over what is yanked, unless somebody asks for that very version (PEP 592).
    """
    _mark(reached, subject, "yank", "yanked", {"reason": reason})


@click.command()
@names_subject
@reaches_index
def unyank(reached: Reached, subject: Subject) -> None:
    """Take the yanking of PROJECT back.

    Or that of a release or a file of it. What upstream of a mirror has yanked stays so.
    """
    _mark(reached, subject, "yank", "no longer yanked", None)


@click.command()
@names_subject
@_reason
@reaches_index
def block(reached: Reached, subject: Subject, reason: str) -> None:
    """Block PROJECT of a mirror, or a release or a file of it.

    Nobody gets it from here any more, whatever upstream has.
    """
    _mark(reached, subject, "block", "blocked", {"reason": reason})


@click.command()
@names_subject
@reaches_index
def unblock(reached: Reached, subject: Subject) -> None:
    """Take the blocking of PROJECT back.

    Or that of a release or a file of it.
    """
    _mark(reached, subject, "block", "no longer blocked", None)


def _mark(reached: Reached, subject: Subject, verb: str, done: str, fields: dict[str, object] | None) -> None:
    method = "DELETE" if fields is None else "PUT"
    path = f"{path_of(reached.index, subject)}/{verb}"
    report = reached.api.ask(method, path, ChangeReport, fields=fields)
    for filename in report.files or ((str(subject),) if report.changed else ()):
        click.echo(f"{printable(filename)}: {done} in {reached.index}")
    if not report.changed:
        click.echo(f"{subject}: nothing of it in {reached.index} has changed")
