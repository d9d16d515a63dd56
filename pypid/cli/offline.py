"""``pypid offline``: whether upstreams are asked."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import click

from pypid.cli.configuration import load_or_exit
from pypid.cli.running import running_pid
from pypid.config import Config, MirrorConfig
from pypid.storage.switch import OfflineSwitch


@click.command()
@click.argument("state", type=click.Choice(["on", "off"]), required=False)
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="The configuration of the daemon.")
def offline(state: str | None, config: Path | None) -> None:
    """Say whether upstreams are asked, or turn that on or off.

    Offline, pypid serves what is here and answers 503 for all else. It stays so over restarts. A running pypid
    obeys at once.
    """
    settings = load_or_exit(config)  # a daemon would not reload one that is wrong
    data = settings.server.data
    switch = OfflineSwitch(data)
    try:
        if state is not None:
            switch.turn(on=state == "on")
        is_on = switch.is_on()
    except OSError as e:
        click.echo(f"{e.filename}: {e.strerror}", err=True)
        sys.exit(1)
    click.echo(f"pypid on {data} is offline: no upstream is asked" if is_on else f"the switch of {data} is off")
    for line in _set_offline(settings):
        click.echo(line)
    if state is not None:
        click.echo(_told(data))


def _set_offline(settings: Config) -> list[str]:
    """Return what the configuration says, which the switch does not change."""
    said = [f"{settings.source} says offline = true in [server]"] if settings.server.offline else []
    return said + [
        f"{settings.source} says offline = true in [index.{name}]"
        for name, index in settings.indexes.items()
        if isinstance(index, MirrorConfig) and index.offline
    ]


def _told(data: Path) -> str:
    pid = running_pid(data)
    if pid is None:
        return "no pypid is seen to run there: it obeys when it starts"
    try:
        os.kill(pid, signal.SIGHUP)
    except PermissionError:
        return f"the running pypid obeys on SIGHUP, which this user may not send: kill -HUP {pid}"
    except ProcessLookupError:
        return "the running pypid has just ended: it obeys when it starts"
    return f"the running pypid (process {pid}) was told; its log says when it is done"
