"""``pypid rebuild``: hosted.db from the sidecars."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from pypid.cli.configuration import load_or_exit
from pypid.cli.running import AlreadyRunning, alone
from pypid.offload import inline
from pypid.storage.audit import AuditLog
from pypid.storage.rebuild import BESIDE, Rebuilt, put_in_place, rebuild_hosted
from pypid.storage.sidecars import Sidecars


@click.command()
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="The configuration of the daemon.")
def rebuild(config: Path | None) -> None:
    """Make hosted.db anew, which knows what was uploaded.

    From the files in records/, while no pypid runs. The old hosted.db is kept under another name. Exits with 1 if
    anything could not be read, or the bytes of an uploaded file are gone; the rest is in place then all the same.
    """
    data = load_or_exit(config).server.data
    try:
        if not Sidecars(data / "records", inline).any():
            raise ValueError(f"there is nothing in {data / 'records'} to make hosted.db from")
        with alone(data):
            rebuilt, aside = _rebuild(data)
    except (OSError, ValueError, sqlite3.Error, AlreadyRunning) as e:
        click.echo(f"pypid: {e}", err=True)
        sys.exit(1)
    click.echo(f"{data / 'hosted.db'} was made anew: {_sum(rebuilt)}; the last serial is {rebuilt.last_serial}")
    if aside is not None:
        click.echo(f"the old one is {aside}")
    _tell("never acknowledged, and left out", rebuilt.undone)
    _tell("cannot be read", rebuilt.unreadable)
    _tell("the bytes are gone", rebuilt.lost)
    if rebuilt.unreadable or rebuilt.lost:
        sys.exit(1)


def _rebuild(data: Path) -> tuple[Rebuilt, Path | None]:
    new = data / "hosted.db.new"
    for suffix in BESIDE:  # of a rebuild that was interrupted
        new.with_name(new.name + suffix).unlink(missing_ok=True)
    rebuilt = rebuild_hosted(new, records=data / "records", audit=AuditLog(data / "audit.jsonl"), blobs=data / "blobs")
    owner = data.stat()
    if os.geteuid() == 0:  # and the daemon mostly is not
        os.chown(new, owner.st_uid, owner.st_gid)
    return rebuilt, put_in_place(new, data / "hosted.db", time.time())


def _sum(rebuilt: Rebuilt) -> str:
    counts = (
        (rebuilt.projects, "project", "projects"),
        (rebuilt.files, "file", "files"),
        (rebuilt.deleted, "deleted file", "deleted files"),
        (rebuilt.rules, "rule laid over a project", "rules laid over projects"),
    )
    return ", ".join(f"{number} {one if number == 1 else many}" for number, one, many in counts)


def _tell(what: str, lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(f"pypid: {what}: {line}", err=True)
