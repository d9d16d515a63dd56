"""
Having the signatures of attestations verified, in a process of its own.

What does it, pypi-attestations, is large and optional: a daemon that loaded
it would carry 50 MB for what comes once in a while, and a hostile certificate
would be parsed beside the reactor.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from pypid.domain.attestations import Attestation
from pypid.domain.errors import InspectionFailed
from pypid.inspection.limits import WALL_SECONDS

HOW_TO_INSTALL = "pip install 'pypid[attestations]'"

# -I: nothing from the working directory or the environment gets into it.
CHILD = (sys.executable, "-I", "-m", "pypid.inspection.verifier")

_TOLD = 2000
"""Characters of what a broken process said that go to the log."""


class Case(msgspec.Struct, kw_only=True):
    """What the process is to look at."""

    attestations: list[msgspec.Raw]
    statements: list[bytes]
    """What pypid has read in each of them: that, and nothing else, must be what was signed."""
    trusted_root: str | None
    """The path of Sigstore's trusted root in JSON; None: the one that comes with the package."""


def can_verify() -> bool:
    """Say whether the extra is installed."""
    return find_spec("pypi_attestations") is not None


def problems_of_setup(demanding: Sequence[str], trusted_root: Path | None, *, installed: bool) -> list[str]:
    """Return why what the indexes ``demanding`` it say cannot be done, a line each; blocks to read one file."""
    if not installed:
        missing = f"attestations: to verify them takes pypi-attestations: {HOW_TO_INSTALL}"
        return [f'[index."{name}"] {missing}' for name in demanding]
    if trusted_root is None:
        return []
    try:
        msgspec.json.decode(trusted_root.read_bytes(), type=dict[str, object])
    except (OSError, msgspec.DecodeError) as e:
        return [f"[server] sigstore_root: {trusted_root} cannot be used: {getattr(e, 'strerror', None) or e}"]
    return []


def verify_apart(
    filename: str,
    attestations: Sequence[Attestation],
    trusted_root: Path | None = None,
    *,
    child: Sequence[str] = CHILD,
    patience: float = WALL_SECONDS,
) -> tuple[str, ...]:
    """
    Return what is wrong with the signatures, a line each; blocks until that is known, about a second.

    Nobody is asked over the network. Raises `InspectionFailed` when the
    process broke, could not be started, or said nothing in ``patience`` seconds.
    """
    case = Case(
        attestations=[msgspec.Raw(each.json) for each in attestations],
        statements=[each.statement for each in attestations],
        trusted_root=None if trusted_root is None else str(trusted_root),
    )
    try:
        # Sigstore copies its trusted root to where a user's programs have their data.
        with TemporaryDirectory(prefix="pypid-") as directory:
            done = subprocess.run(
                child,
                input=msgspec.json.encode(case),
                capture_output=True,
                env={"XDG_DATA_HOME": directory, "XDG_CACHE_HOME": directory},
                timeout=patience,
                check=False,
            )
    except subprocess.TimeoutExpired as e:
        raise InspectionFailed(filename, f"its attestations were not verified in {patience:g} seconds") from e
    except OSError as e:
        raise InspectionFailed(filename, f"no process could be started: {e}") from e
    try:
        return msgspec.json.decode(done.stdout, type=tuple[str, ...])
    except msgspec.DecodeError as e:
        said = done.stderr.decode(errors="replace")[-_TOLD:]
        raise InspectionFailed(filename, f"exit code {done.returncode}: {said}") from e
