"""Fixtures for the proofs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.site import Site, running_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running site for the whole module: each test has projects and clients of its own."""
    with running_site(tmp_path_factory.mktemp("site")) as made:
        yield made
