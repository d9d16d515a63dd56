"""Groups that grants name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pypid.config import ConfigError, load_config
from pypid.config.group_files import load_groups, unknown_users

GRANTS = '[index.main]\nupload = ["@payments acme-*", "alice", "authenticated"]\nread = ["anonymous"]\n'


def written(directory: Path, text: str) -> Path:
    file = directory / "pypid.conf"
    file.write_text(f"[server]\ndata = '.'\n{text}")
    return file


def test_groups_of_both_places_are_united(tmp_path: Path) -> None:
    (tmp_path / "groups").write_text("payments: bob\nnonsense\n")
    file = written(tmp_path, f'[users]\ngroup_file = "groups"\n{GRANTS}[groups]\npayments = ["carol"]\n')
    given = load_groups(load_config(file, {}))
    assert given.groups == {"payments": {"bob", "carol"}}
    assert [problem.partition(": ")[2][:7] for problem in given.problems] == ["line 2:"]


def test_group_that_is_none_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, f'{GRANTS}[groups]\npayment = ["carol"]\n')
    with pytest.raises(ConfigError) as caught:
        load_groups(load_config(file, {}))
    assert caught.value.problems == ("[index.main] upload: there is no group 'payments' (have: payment)",)


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_file_that_cannot_be_read_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "groups").write_bytes(content)
    file = written(tmp_path, '[users]\ngroup_file = "groups"\n')
    with pytest.raises(ConfigError, match=r"\[users\] group_file: .*groups cannot be used"):
        load_groups(load_config(file, {}))


def test_user_who_is_none_is_named(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, f'{GRANTS}[groups]\npayments = ["carol"]\n'), {})
    assert list(unknown_users(config, {"bob"})) == ["[index.main] upload: there is no user 'alice' yet"]
    assert list(unknown_users(config, {"alice"})) == []
