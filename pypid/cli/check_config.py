"""``pypid check-config``: what a start or a reload would say to a configuration."""

from __future__ import annotations

from pathlib import Path

import click

from pypid.cli.configuration import load_or_exit
from pypid.config import IndexConfig, MirrorConfig


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def check_config(file: Path | None) -> None:
    """Say what is wrong with a configuration.

    The PYPID_ variables of the environment are checked together with FILE. Without FILE, it is the one that the
    daemon would read: that of PYPID_CONFIG, else /etc/pypid.conf, else the built-in defaults. Exits with 78 if
    anything is wrong, having said all that is.
    """
    config = load_or_exit(file)
    click.echo(f"{config.source}: ok")
    click.echo(f"  listen  {', '.join(config.server.listen)}")
    click.echo(f"  data    {config.server.data}")
    click.echo(f"  users   {config.users.htpasswd}")
    for name, index in config.indexes.items():
        default = " (default)" if name == config.server.default_index else ""
        click.echo(f"  index   {name}: {_describe(index)}{default}")


def _describe(index: IndexConfig) -> str:
    if isinstance(index, MirrorConfig):
        return f"mirror of {index.upstream}"
    return f"hosted, then {', '.join(index.bases)}" if index.bases else "hosted"
