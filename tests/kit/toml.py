"""
Writes TOML, which the standard library only reads.

    text = to_toml({"server": {"listen": ["tcp:8080"]}, "index": {"root/pypi": {"ttl": 60}}})
    assert tomllib.loads(text)["index"]["root/pypi"] == {"ttl": 60}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def to_toml(tables: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """Return ``tables`` as TOML; values are text, paths, numbers, booleans, lists of those, or tables."""
    plain = {key: value for key, value in tables.items() if not isinstance(value, Mapping)}
    lines = [f"[{'.'.join(json.dumps(part) for part in path)}]"] if path else []
    # JSON's strings, numbers, booleans and lists are TOML's, too.
    lines += [f"{json.dumps(key)} = {json.dumps(value, default=str)}" for key, value in plain.items()]
    text = "".join(f"{line}\n" for line in lines)
    return text + "".join(to_toml(value, (*path, key)) for key, value in tables.items() if isinstance(value, Mapping))
