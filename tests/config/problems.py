"""What a configuration is told to be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pypid.config import ConfigError, parse_config


def problems_of(text: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return every problem; fails the test if there is none."""
    with pytest.raises(ConfigError) as caught:
        parse_config(text, environ or {})
    return caught.value.problems
