"""Asking a database that a daemon may be using."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

T = TypeVar("T")


def ask(path: Path, question: Callable[[sqlite3.Connection], T]) -> T:
    """Call ``question`` over a connection that cannot write. Raises `sqlite3.Error`."""
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
        return question(connection)
