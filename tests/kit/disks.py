"""
File systems of a daemon's own: one that is small, and one whose power can be cut.

    daemon(config, prefix=small_disk(tmp_path / "daemon-0" / "data", size="24m"))
    image = make_image(tmp_path / "disk.img")
    daemon(config, prefix=on_image(image, tmp_path / "daemon-0" / "data"))

Each is mounted where only the process and its children see it, and is gone with the last of them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

IMAGE_SIZE = 48 * 2**20


def small_disk(directory: Path, **options: str | int) -> Sequence[str]:
    """Return a prefix that runs a command with a tmpfs at ``directory``; ``options`` are tmpfs's (size, nr_inodes)."""
    given = ",".join(f"{name}={value}" for name, value in options.items())
    script = 'mount -t tmpfs -o "$0" tmpfs "$1" && shift && exec "$@"'
    return ("unshare", "--map-root-user", "--mount", "sh", "-c", script, given, str(directory))


def can_mount() -> bool:
    return _succeeds([*small_disk(Path("/mnt"), size="1m"), "true"])


def make_image(path: Path) -> Path:
    """Make a file with an empty ext4 in it."""
    with path.open("wb") as file:
        file.truncate(IMAGE_SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-F", path], check=True, timeout=60)
    return path


def on_image(image: Path, directory: Path) -> Sequence[str]:
    """
    Return a prefix that runs a command with ``image`` mounted at ``directory``.

    The kernel writes nothing to it of its own accord for 5 minutes: what is in
    the image by then is what somebody has waited for.
    """
    script = 'mount -o loop,commit=300 "$0" "$1" && shift && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", script, str(image), str(directory))


def cut(image: Path, copy: Path) -> Path:
    """
    Make ``copy`` hold what would be on the disk had its power failed now.

    Stop whoever writes to it: it is read from its beginning to its end.
    """
    subprocess.run(["cp", "--sparse=always", image, copy], check=True, timeout=60)
    return copy


def can_mount_images(directory: Path) -> bool:
    """Say whether this user may, on a machine that has loop devices; ``directory`` is somewhere to try it in."""
    target = directory / "mounted"
    target.mkdir()
    try:
        image = make_image(directory / "try.img")
    except (OSError, subprocess.SubprocessError):
        return False
    return _succeeds([*on_image(image, target), "true"])


def _succeeds(command: Sequence[str]) -> bool:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
