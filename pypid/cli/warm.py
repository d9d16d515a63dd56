"""``pypid warm``: have the daemon fetch what will be installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from pypid.cli.configuration import load_or_exit
from pypid.cli.index_reader import BadIndexUrl, CannotGet, IndexReader, NotReachable
from pypid.cli.this_machine import this_platform, this_python
from pypid.cli.warm_progress import Bar, Lines, Progress, Quiet
from pypid.cli.warm_report import Report
from pypid.cli.warm_sources import BadSources, Sources
from pypid.cli.warming import Choice, Warming
from pypid.config.listen import local_url
from pypid.domain.names import InvalidName, parse_index_name
from pypid.domain.targets import InvalidTarget, Target, make_target, parse_platform

INTERRUPTED = 130
"""The exit code of a shell's command that Ctrl-C ended."""


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="NAME|FILE...")
@click.option("--url", metavar="URL", help="Where the daemon is.  [default: what it listens on, on this machine]")
@click.option("--index", metavar="NAME", help="The index to warm.  [default: that at /simple/]")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="The daemon's configuration.")
@click.option("--python", "pythons", multiple=True, metavar="VERSION", help="For this Python: 3.12, 3.13t. Repeatable.")
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="TAG",
    help="For this platform: manylinux_2_28_x86_64, musllinux_1_2_aarch64, macosx_14_0_arm64, win_amd64. Repeatable.",
)
@click.option("--every-file", is_flag=True, help="For every Python and platform.")
@click.option("--sdists", is_flag=True, help="Source distributions also where there is a wheel.")
@click.option("--all-versions", is_flag=True, help="Every version that matches, not only the newest.")
@click.option("--with-dependencies", is_flag=True, help="Also what they require, in its newest matching version.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def warm(
    sources: tuple[str, ...],
    *,
    url: str | None,
    index: str | None,
    config: Path | None,
    pythons: tuple[str, ...],
    platforms: tuple[str, ...],
    every_file: bool,
    sdists: bool,
    all_versions: bool,
    with_dependencies: bool,
    as_json: bool,
) -> None:
    """Have pypid fetch beforehand what will be installed.

    A running daemon is asked for pages, core metadata and files, just as an installer would ask.

    NAME is a project or a requirement, such as 'requests>=2.30'; FILE is a requirements file (.txt, .in), a
    pylock.toml, a uv.lock or a poetry.lock. Fetched is what pip or uv would take on this machine with this Python,
    or on what --python and --platform say. What a lock file names is fetched in just that version; for all else
    nothing is resolved: it is the newest version that matches.

    What is there already is not fetched again, so that a warm-up which broke off is run again to go on.

    Exits with 0 if all is there, with 1 if something could not be got, which is then listed.
    """
    if every_file and (pythons or platforms):
        raise click.UsageError("--every-file is for every Python and platform: leave out --python and --platform")
    if every_file and with_dependencies:
        raise click.UsageError("--with-dependencies depends on Python and platform: leave out --every-file")
    try:
        asked = Sources(sources)
        targets = (None,) if every_file else _targets(pythons, platforms)
        reader = IndexReader(_index_url(url, index, config))
    except BadSources as e:
        raise click.UsageError("\n".join(e.problems)) from e
    except InvalidTarget as e:
        raise click.UsageError(str(e)) from e
    except BadIndexUrl as e:
        raise click.UsageError(f"--url: {e}") from e
    choice = Choice(targets=targets, all_versions=all_versions, sdists=sdists, with_dependencies=with_dependencies)
    report = Report(skipped=asked.skipped)
    with closing(reader):
        try:
            reader.check()
        except (NotReachable, CannotGet) as e:
            click.echo(f"pypid: {e}", err=True)
            sys.exit(1)
        Warming(reader, choice, report, _progress(as_json=as_json)).run(asked.wanted, asked.constraints)
    _show(report, as_json=as_json)


def _targets(pythons: Sequence[str], platforms: Sequence[str]) -> tuple[Target, ...]:
    places = [parse_platform(text) for text in platforms] or [this_platform()]
    return tuple(make_target(python, place) for python in pythons or [this_python()] for place in places)


def _index_url(url: str | None, index: str | None, config: Path | None) -> str:
    """Return the URL of the index; one that is that of an index already may be given."""
    if url is None:
        url = _daemon_url(config)
    url = url if url.endswith("/") else f"{url}/"
    if url.endswith(("/simple/", "/+simple/")):
        if index is not None:
            raise click.UsageError("--url is the URL of an index: leave out simple/, or --index")
        return url
    if index is None:
        return f"{url}simple/"
    try:
        return f"{url}{parse_index_name(index)}/simple/"
    except InvalidName as e:
        raise click.UsageError(f"--index: {e}") from e


def _daemon_url(config: Path | None) -> str:
    loaded = load_or_exit(config)
    urls = [url for description in loaded.server.listen if (url := local_url(description)) is not None]
    if urls:
        # Without TLS if that is possible: few certificates are for an address of this machine.
        return min(urls, key=lambda url: url.startswith("https:"))
    raise click.UsageError(f"{loaded.source}: listen has no port to reach the daemon at; give --url")


def _progress(*, as_json: bool) -> Progress:
    if sys.stderr.isatty():
        return Bar()
    return Quiet() if as_json else Lines()


def _show(report: Report, *, as_json: bool) -> None:
    click.echo(report.to_json() if as_json else report.summary())
    if not as_json:
        for line in report.troubles():
            click.echo(line, err=True)
    if report.stopped == "interrupted":
        sys.exit(INTERRUPTED)
    sys.exit(0 if report.complete else 1)
