"""The configuration that a command works with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from pypid.config import Config, ConfigError, load_config


def load_or_exit(path: Path | None) -> Config:
    """Return the configuration, or print every problem to stderr and exit with EX_CONFIG (78)."""
    try:
        return load_config(path, os.environ)
    except ConfigError as e:
        for problem in e.problems:
            click.echo(problem, err=True)
        sys.exit(os.EX_CONFIG)
