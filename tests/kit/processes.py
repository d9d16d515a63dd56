"""
Running other programs in an environment that is the same on every machine.

    result = run([sys.executable, "-m", "pypid.cli.main", "check-config"], home=tmp_path)
    assert result.returncode == 0, result.stdout
    env = clean_environment(tmp_path, PYPID_SERVER_DRAIN="1")

What the caller's shell says about pip and other clients, proxies and pypid itself is left out, and so is its home.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The repository: on PYTHONPATH, so that `pypid` and its twistd plugin are found in every process."""

_POLL = 0.05
_PRIVATE = ("PIP_", "UV_", "TWINE_", "POETRY_", "PDM_", "HATCH_", "PYPID_", "PYTEST_", "COV_")
_ELSEWHERE = {"VIRTUAL_ENV", "CONDA_PREFIX", "NETRC"}
"""Where a client would install to, or find a password, though it is not inside its home."""


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment whose home, caches and configuration are inside ``home``, with ``more`` set."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_PRIVATE) and name not in _ELSEWHERE and not name.lower().endswith("_proxy")
    }
    own = {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "share"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "PDM_CHECK_UPDATE": "0",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
    }
    return kept | own | more


def run(
    args: Sequence[str | Path],
    *,
    home: Path,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float = 120,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """
    Run ``args`` to their end and return the outcome, whatever it is; ``stdout`` has both outputs.

    ``env`` adds to `clean_environment`. `subprocess.TimeoutExpired` after
    ``timeout`` seconds, when the program has been killed.
    """
    home.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [str(arg) for arg in args],
        env=clean_environment(home, **(env or {})),
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        cwd=cwd or home,
        check=False,
    )


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def eventually(condition: Callable[[], bool], timeout: float) -> bool:
    """Return whether ``condition()`` comes true within ``timeout`` seconds: for other processes, that tell nobody."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
