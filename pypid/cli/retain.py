"""``pypid retain``: the releases that go by the rules of their indexes."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote

import click

from pypid.cli.api import ApiClient, LocalApi
from pypid.cli.configuration import load_or_exit
from pypid.cli.reach import told
from pypid.cli.read_only import ask
from pypid.config import Config
from pypid.domain.names import IndexName
from pypid.domain.reports import RetentionReport
from pypid.domain.retention import KEEP_ALL, Retention, is_settled
from pypid.indexes.retention import Going, Usage, plan_retention
from pypid.storage.download_records import read_last_days, read_watch
from pypid.storage.hosted_releases import read_uploads


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and why, and let it stay.")
@click.option("--index", "only", metavar="NAME", help="Of this index alone.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="The configuration of the daemon.")
def retain(config: Path | None, only: str | None, *, dry_run: bool) -> None:
    """Delete the releases that need not be kept any more.

    Which they are, the configuration says for each index: keep_releases, drop_prereleases_after, drop_dev_after,
    drop_unused_after. The pypid that runs here is asked to do it now; it does so by itself once a day.
    """
    loaded = load_or_exit(config)
    rules = _rules(loaded, only)
    if not dry_run:
        with told():
            _have_done(LocalApi(loaded.server.data), rules)
        return
    try:
        if not (loaded.server.data / "hosted.db").exists():
            _refuse(f"no pypid has kept anything in {loaded.server.data}")
        _foretell(loaded.server.data, rules)
    except (OSError, ValueError, sqlite3.Error) as e:
        _refuse(str(e))


def _rules(config: Config, only: str | None) -> Mapping[IndexName, Retention]:
    hosted = config.retention
    if only is None:
        return hosted
    if only not in hosted:
        _refuse(f"there is no index for uploads called {only!r} (have: {', '.join(sorted(hosted)) or 'none'})")
    return {IndexName(only): hosted[IndexName(only)]}


def _have_done(api: ApiClient, rules: Mapping[IndexName, Retention]) -> None:
    """Have the daemon delete them now, by the settings that it runs with. Raises `Unreachable`, `Refused`."""
    for index in rules:
        releases = api.ask("POST", f"retention/{quote(index)}", RetentionReport, fields={}).releases
        for gone in releases:
            click.echo(f"{index}: {gone.project} {gone.version} ({_files(len(gone.files))}): {gone.reason}")
        click.echo(f"{index}: {_count(releases)}, {_files(sum(len(gone.files) for gone in releases))} are gone")


def _foretell(data: Path, rules: Mapping[IndexName, Retention]) -> None:
    """Say what would go now, changing nothing; the daemon may run."""
    now = time.time()
    for index, of_index in rules.items():
        if of_index == KEEP_ALL:
            click.echo(f"{index}: everything stays, since nothing else is set")
            continue
        uploads = ask(data / "hosted.db", partial(read_uploads, index=index))
        usage = _usage(data / "counts.db", index)
        _tell(index, plan_retention(of_index, uploads, usage, now))
        if of_index.asks_for_ages and not is_settled(now, usage.counted_since):
            click.echo(f"{index}: no release goes for its age yet: pypid has not run for a week without a break")


def _usage(counts: Path, index: IndexName) -> Usage:
    if not counts.exists():
        return Usage(last_days={}, watch=None)
    return Usage(last_days=ask(counts, partial(read_last_days, index=index)), watch=ask(counts, read_watch))


def _tell(index: IndexName, plan: Sequence[Going]) -> None:
    for going in plan:
        click.echo(f"{index}: {going.project} {going.version} ({_files(len(going.files))}): {going.reason}")
    click.echo(f"{index}: {_count(plan)}, {_files(sum(len(going.files) for going in plan))} would go")


def _count(releases: Sequence[object]) -> str:
    return "1 release" if len(releases) == 1 else f"{len(releases)} releases"


def _files(count: int) -> str:
    return f"{count} {'file' if count == 1 else 'files'}"


def _refuse(why: str) -> None:
    click.echo(f"pypid: {why}", err=True)
    sys.exit(1)
