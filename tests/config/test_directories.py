"""Indexes of the files in directories: what can be set, and what cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from pypid.config import DirectoryConfig, HostedConfig, parse_config
from pypid.domain.names import IndexName
from tests.config.problems import problems_of


def directory(text: str, **kwargs: str) -> DirectoryConfig:
    settings = parse_config(f"[index.local]\n{text}", kwargs, directory=Path("/etc")).indexes[IndexName("local")]
    assert isinstance(settings, DirectoryConfig)
    return settings


def test_one_directory_or_several_each_relative_to_the_file() -> None:
    assert directory("directory = '/srv/packages'") == DirectoryConfig(directory=(Path("/srv/packages"),), rescan=10)
    several = directory("directory = ['/srv/a', 'b/c']\nrescan = '1 min'")
    assert several == DirectoryConfig(directory=(Path("/srv/a"), Path("/etc/b/c")), rescan=60)
    changed = directory("directory = '/srv/a'", PYPID_INDEX__LOCAL__DIRECTORY="/srv/b, /srv/c")
    assert changed.directory == (Path("/srv/b"), Path("/srv/c"))


def test_it_can_be_a_base_and_the_default_index() -> None:
    config = parse_config(
        "[server]\ndefault_index = 'main'\n[index.main]\nbases = ['local', 'pypi']\n[index.local]\ndirectory = '/srv'"
    )
    assert config.indexes[IndexName("main")] == HostedConfig(bases=(IndexName("local"), IndexName("pypi")))
    assert isinstance(parse_config("[index.main]\ndirectory = '/srv'").indexes[IndexName("main")], DirectoryConfig)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("directory = []", "expected at least one directory"),
        ("directory = ''", "expected a path, got ''"),
        ("directory = 5", "expected a list of directories, got 5"),
        ("directory = '~/packages'", "'~' is not expanded here, write the whole path: got '~/packages'"),
        ("directory = ['/srv', '/srv']", "'/srv' is listed twice"),
        ("directory = ['/srv/a', '/srv']", "'/srv/a' is inside '/srv', which is looked through whole"),
    ],
)
def test_directories_that_cannot_be(text: str, problem: str) -> None:
    assert problems_of(f"[index.x]\n{text}") == (f"[index.x] directory: {problem}",)


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("rescan = 5", "rescan", "only an index with `directory` has this setting"),
        ("directory = '/srv'\nrescan = 0.5", "rescan", "expected at least 1 seconds, got 0.5"),
        ("directory = '/srv'\nttl = 5", "ttl", "only a mirror has this setting (an index with `upstream`)"),
        ("directory = '/srv'\nvalidation = 'strict'", "validation", "a directory takes no uploads"),
        (
            "directory = '/srv'\nbases = ['pypi']",
            "bases",
            "an index has `directory` or `bases`: give the directory a name, and that to `bases`",
        ),
        (
            "directory = '/srv'\nupstream = 'http://x/'",
            "directory",
            "an index has `upstream` or `directory`: give each a name, and these to `bases` of a third",
        ),
    ],
)
def test_it_has_no_settings_of_others_and_they_none_of_its(text: str, key: str, problem: str) -> None:
    assert problems_of(f"[index.x]\n{text}") == (f"[index.x] {key}: {problem}",)
