"""``pypid check-config``: what a start or a reload would say to a configuration."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from pypid.config import Config, ConfigError, IndexConfig, MirrorConfig, load_config

EX_CONFIG = 78
"""sysexits.h: something was found in a misconfigured state."""


def load_or_exit(path: Path | None) -> Config:
    """Return the configuration, or print every problem to stderr and exit with `EX_CONFIG`."""
    try:
        return load_config(path, os.environ)
    except ConfigError as e:
        for problem in e.problems:
            click.echo(problem, err=True)
        sys.exit(EX_CONFIG)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def check_config(file: Path | None) -> None:
    """Check a configuration FILE, together with the PYPID_ variables of the environment.

    Without FILE, the one that the daemon would read: that of PYPID_CONFIG, else /etc/pypid.conf, else the
    built-in defaults. Exits with 78 if anything is wrong, having said all that is.
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
