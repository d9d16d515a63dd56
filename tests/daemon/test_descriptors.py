"""How many descriptors a process has, and how many of them are for clients."""

from __future__ import annotations

import subprocess
import sys
from resource import RLIM_INFINITY

import pytest

from pypid.daemon.descriptors import KEPT_BACK, MOST, connections_for, wanted_limit

RAISE = "import resource; from pypid.daemon.descriptors import raise_limit as r; print(r(), *resource.getrlimit(7))"


@pytest.mark.parametrize(
    ("soft", "hard", "wanted"),
    [(1024, MOST * 2, MOST), (1024, RLIM_INFINITY, MOST), (MOST * 2, MOST * 4, MOST * 2), (RLIM_INFINITY,) * 3],
)
def test_as_many_as_make_sense(soft: int, hard: int, wanted: int) -> None:
    assert wanted_limit(soft, hard) == wanted
    assert connections_for(wanted) >= connections_for(MOST)


@pytest.mark.parametrize(("soft", "hard", "after"), [(512, 2000, 2000), (512, 512, 512), (2000, 2000, 2000)])
def test_soft_limit_is_raised(soft: int, hard: int, after: int) -> None:
    command = ["prlimit", f"--nofile={soft}:{hard}", sys.executable, "-c", RAISE]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stdout.split() == [str(after), str(after), str(hard)], result.stderr


def test_each_client_may_have_a_file_beside_its_connection() -> None:
    for descriptors in (1024, 4096, MOST):
        assert 2 * connections_for(descriptors) + KEPT_BACK <= descriptors


def test_few_descriptors_are_still_for_somebody() -> None:
    assert connections_for(64) > 0
