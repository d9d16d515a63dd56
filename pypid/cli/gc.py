"""``pypid gc``: what has to make way, and when."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pypid.cli.configuration import load_or_exit
from pypid.cli.read_only import ask
from pypid.cli.running import AlreadyRunning, alone, running_pid
from pypid.config import ServerConfig
from pypid.domain.errors import StorageBusy
from pypid.domain.eviction import BlobUse, plan_eviction
from pypid.indexes.room import Room, Swept
from pypid.offload import inline
from pypid.storage.blobs import DAMAGED, DirectoryBlobs
from pypid.storage.database import Database, SchemaTooNew
from pypid.storage.inventory import mirrored_blobs, take_inventory
from pypid.storage.references import References, cached_blobs, hosted_blobs, last_uses
from pypid.storage.sidecars import Sidecars, sidecar_blobs

SHORT = "more should go, and nothing is left that may"


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and let it stay.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="The configuration of the daemon.")
def gc(config: Path | None, *, dry_run: bool) -> None:
    """Remove mirrored files for which there is no room.

    Those that nobody has used for longest go first, and before them files that no record names any more. The daemon
    does so by itself: when room is short, and each hour. Where it runs, it is asked to begin now.
    What was uploaded never goes.
    """
    server = load_or_exit(config).server  # a daemon would not reload one that is wrong
    try:
        if not (server.data / "hosted.db").exists() or not (server.data / "cache.db").exists():
            _refuse(f"no pypid has kept anything in {server.data}")
        if not (server.data / "hosted.db").stat().st_size:  # opened, it would be one that knows of nothing
            _refuse(f"{server.data / 'hosted.db'} is empty: 'pypid rebuild' makes it anew")
        if dry_run:
            _foretell(server)
            return
        pid = running_pid(server.data)
        if pid is None:
            with alone(server.data):
                swept = _sweep(server)
            click.echo(f"{_sum(swept.removed, swept.freed)} removed")
            if swept.short:
                click.echo(f"{_size(swept.short)} {SHORT}")
        else:
            os.kill(pid, signal.SIGHUP)
            click.echo(f"the running pypid (process {pid}) was told; its log says what it removes")
    except (OSError, ValueError, sqlite3.Error, SchemaTooNew, StorageBusy, AlreadyRunning) as e:
        _refuse(str(e))


def _refuse(why: str) -> None:
    click.echo(f"pypid: {why}", err=True)
    sys.exit(1)


def _sweep(server: ServerConfig) -> Swept:
    """Do what the daemon does, in its place."""
    hosted = Database(server.data / "hosted.db", "hosted", durability="FULL", write=inline, read=inline)
    cache = Database(server.data / "cache.db", "cache", durability="NORMAL", write=inline, read=inline)
    with closing(hosted), closing(cache):
        hosted.open()
        cache.open()
        room = Room(
            DirectoryBlobs(server.data / "blobs", inline),
            References(hosted, cache),
            Sidecars(server.data / "records", inline),
            limits=server.room,
            offload=inline,
            now=time.time,
        )
        outcome: list[Swept | Failure] = []
        Deferred.fromCoroutine(room.sweep()).addBoth(outcome.append)
        if isinstance(outcome[0], Failure):
            outcome[0].raiseException()
        return outcome[0]


def _foretell(server: ServerConfig) -> None:
    """Say what a sweep would do now, changing nothing; the daemon may run."""
    limits = server.room
    hosted = ask(server.data / "hosted.db", hosted_blobs) | sidecar_blobs(server.data / "records")
    cached, uses = ask(server.data / "cache.db", cached_blobs), ask(server.data / "cache.db", last_uses)
    inventory = take_inventory(server.data / "blobs")
    blobs = mirrored_blobs(inventory, hosted=hosted, cached=cached, uses=uses)
    mirrored = sum(blob.size for blob in blobs)
    plan = plan_eviction(blobs, excess=limits.excess(mirrored, inventory.free), busy=(), now=time.time())
    uploaded = [file.size for sha256, file in inventory.blobs.items() if sha256 in hosted]
    limit = "unlimited" if limits.cache_size is None else f"at most {_size(limits.cache_size)}"
    click.echo(f"uploaded  {_sum(len(uploaded), sum(uploaded))}")
    click.echo(f"mirrored  {_sum(len(blobs), mirrored)} (cache_size: {limit})")
    click.echo(f"free      {_size(inventory.free)} (keep_free: {_size(limits.keep_free)})")
    if inventory.damaged:
        damaged = _sum(len(inventory.damaged), sum(file.size for file in inventory.damaged.values()))
        click.echo(f"damaged   {damaged}, kept in {server.data / 'blobs' / DAMAGED} for you to look at")
    click.echo(f"to go     {_described(plan.blobs)}")
    orphans = [blob for blob in plan.blobs if not blob.recorded]
    if orphans:
        click.echo(f"          of these no record names {_sum(len(orphans), sum(blob.size for blob in orphans))}")
    if plan.short:
        click.echo(f"          {_size(plan.short)} {SHORT}")


def _described(blobs: Sequence[BlobUse]) -> str:
    if not blobs:
        return "nothing"
    first, last = (datetime.fromtimestamp(at, UTC) for at in _ends(blobs))
    return f"{_sum(len(blobs), sum(blob.size for blob in blobs))}, last used from {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _ends(blobs: Sequence[BlobUse]) -> tuple[float, float]:
    used = [blob.used_at for blob in blobs]
    return min(used), max(used)


def _sum(files: int, size: int) -> str:
    return f"{files} {'file' if files == 1 else 'files'}, {_size(size)}"


def _size(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
