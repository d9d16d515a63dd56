"""A warning for what every user of the machine could give himself."""

from __future__ import annotations

from pathlib import Path

import pytest

from pypid.config import load_config
from pypid.config.writable import problems_of_writers, writable_by_others


@pytest.mark.parametrize(
    ("of_file", "of_directory", "said"),
    [
        (0o644, 0o755, []),
        (0o664, 0o775, []),  # a group is made on purpose
        (0o646, 0o755, ["changed"]),
        (0o644, 0o777, ["replaced"]),
        (0o666, 0o777, ["changed", "replaced"]),
        (0o644, 0o1777, []),
    ],
)
def test_who_can_write(of_file: int, of_directory: int, said: list[str], tmp_path: Path) -> None:
    path = tmp_path / "of" / "htpasswd"
    path.parent.mkdir()
    path.touch()
    path.chmod(of_file)
    path.parent.chmod(of_directory)
    found = list(problems_of_writers(path))
    assert [word for problem in found for word in ("changed", "replaced") if f" {word} " in problem] == said
    assert all(str(path) in problem for problem in found)


def test_file_that_is_not_there_is_no_problem(tmp_path: Path) -> None:
    assert list(problems_of_writers(tmp_path / "none" / "htpasswd")) == []


def test_all_files_that_decide(tmp_path: Path) -> None:
    file = tmp_path / "pypid.conf"
    file.write_text("[server]\ndata = '.'\n[users]\ngroup_file = 'groups'\n")
    for name in ("pypid.conf", "htpasswd", "groups"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o666)
    found = list(writable_by_others(load_config(file, {})))
    assert [problem.partition(" can be")[0].rpartition("/")[2] for problem in found] == [
        "pypid.conf",
        "htpasswd",
        "groups",
    ]
