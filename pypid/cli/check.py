"""``pypid check``: what an index would say to distribution files, before they are uploaded."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pypid.cli.printable import printable
from pypid.domain.validation.distribution import Question
from pypid.domain.validation.findings import Level
from pypid.inspection.files import inspect_file

BESIDE = (".asc", ".attestation")
"""How the names end of what dist/* has beside the files: clients upload it with the file that it is about."""


@click.command()
@click.option(
    "--level",
    type=click.Choice([level.value for level in Level]),
    default=Level.STANDARD.value,
    show_default=True,
    help="As the setting `validation` of the index that the files are for.",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...], level: str) -> None:
    """Say what is wrong with distribution files.

    In the words of an index that they are uploaded to: pypid check dist/*. Signatures and attestations are passed over.
    Exits with 1 if any file would be refused; warnings do not count.
    """
    # In a list, so that no file goes unchecked for the one before it.
    refused = [_is_refused(file, Level(level)) for file in files if not file.name.endswith(BESIDE)]
    if any(refused):
        sys.exit(1)


def _is_refused(file: Path, level: Level) -> bool:
    path = printable(str(file))
    try:
        verdict = inspect_file(file, Question(filename=file.name, level=level))
    except OSError as e:
        click.echo(f"{path}: {e.strerror or e}", err=True)
        return True
    for problem in verdict.problems:
        click.echo(f"{path}: {printable(problem)}", err=True)
    for warning in verdict.warnings:
        click.echo(f"{path}: warning: {printable(warning)}", err=True)
    if not verdict.problems:
        click.echo(f"{path}: ok")
    return bool(verdict.problems)
