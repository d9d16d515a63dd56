"""Settings from the environment, which container images are configured by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.config import SETTINGS, Config, ConfigError, parse_config
from tests.config.problems import problems_of


def server_value(config: Config, key: str) -> Any:
    return getattr(config.server, key)


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("PYPID_SERVER__LISTEN", "tcp:1", ("tcp:1",)),
        ("PYPID_SERVER__LISTEN", "tcp:1, tcp:2", ("tcp:1", "tcp:2")),
        ("PYPID_SERVER__LISTEN", '["tcp:1", "tcp:2"]', ("tcp:1", "tcp:2")),
        ("PYPID_SERVER__DATA", "/srv/true", Path("/srv/true")),
        ("PYPID_SERVER__DATA", '"/srv/x"', Path("/srv/x")),
        ("PYPID_SERVER__DRAIN", "5", 5.0),
        ("PYPID_SERVER__DRAIN", "5 min", 300.0),
        ("PYPID_SERVER__DRAIN", '"5 min"', 300.0),
        ("PYPID_SERVER__MAX_UPLOAD", "1 MiB", 2**20),
        ("pypid_server__max_upload", "0x10", 16),
    ],
)
def test_a_variable_wins_over_the_file(variable: str, text: str, value: object) -> None:
    """Its value is written as in the file, or as plain text."""
    config = parse_config("[server]\nlisten = 'tcp:9'\ndata = '/x'\ndrain = 1\nmax_upload = 1", {variable: text})
    assert server_value(config, variable.partition("__")[2].lower()) == value


def test_every_setting_has_a_variable() -> None:
    """None is reported as unknown, whatever is said about its value."""
    for setting in SETTINGS:
        table = "INDEX__PYPI" if setting.table == "index" else setting.table.upper()
        variable = f"PYPID_{table}__{setting.key.upper()}"
        assert not [problem for problem in problems_of("", {variable: "\0"}) if "no such setting" in problem]


def test_an_index_is_named_with_underscores() -> None:
    text = '[index."root/py.pi"]\nupstream = "http://x/"\n[index.pypi]\nenabled = false\n'
    config = parse_config(
        text,
        {
            "PYPID_INDEX__ROOT_PY_PI__TTL": "5",
            "PYPID_INDEX__MAIN__BASES": "root/py.pi",
            "PYPID_INDEX__PYPI__ENABLED": "true",
        },
    )
    found = {str(name): index for name, index in config.indexes.items()}
    assert getattr(found["root/py.pi"], "ttl", None) == 5
    assert getattr(found["main"], "bases", None) == ("root/py.pi",)
    assert "pypi" in found


def test_a_variable_that_could_mean_two_indexes_is_refused() -> None:
    text = "[index.a-b]\n[index.a_b]\n"
    assert problems_of(text, {"PYPID_INDEX__A_B__BASES": ""}) == (
        "PYPID_INDEX__A_B__BASES: could mean the indexes 'a-b' and 'a_b': use the file for these",
    )


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        ("PYPID_SERVER__LISTN", "x", "no such setting (did you mean PYPID_SERVER__LISTEN?)"),
        ("PYPID_SERVER_LISTEN", "x", "no such setting (did you mean PYPID_SERVER__LISTEN?)"),
        ("PYPID_PORT", "80", "no such setting (form: PYPID_TABLE__SETTING, PYPID_INDEX__NAME__SETTING)"),
        ("PYPID_SERVER__DRAIN", "soon", "expected a number of seconds, got 'soon'"),
        ("PYPID_SERVER__DRAIN", "-1", "expected at least 0 seconds, got '-1'"),
        ("PYPID_SERVER__DRAIN", "1\ndata = 2", r"expected a number of seconds, got '1\ndata = 2'"),
        ("PYPID_SERVER__DEFAULT_INDEX", "mian", "no index 'mian' (have: main, pypi)"),
        ("PYPID_INDEX__MAIN__BASES", "pypi,intern", "no index 'intern' (have: main, pypi)"),
        ("PYPID_INDEX__MAIN__TTL", "5", "only a mirror has this setting (an index with `upstream`)"),
        (
            "PYPID_INDEX__DEV__BASES",
            "pypi",
            "no index 'dev' (have: main, pypi); a new index is made in the file, the environment can only change one",
        ),
    ],
)
def test_a_mistake_names_the_variable(variable: str, text: str, problem: str) -> None:
    assert problems_of("", {variable: text}) == (f"{variable}: {problem}",)


def test_what_is_not_ours_is_passed_over() -> None:
    kubernetes = {
        "PYPID_SERVICE_HOST": "10.0.0.1",
        "PYPID_SERVICE_PORT": "80",
        "PYPID_SERVICE_PORT_HTTP": "80",
        "PYPID_PORT": "tcp://10.0.0.1:80",
        "PYPID_PORT_80_TCP": "tcp://10.0.0.1:80",
        "PYPID_PORT_80_TCP_ADDR": "10.0.0.1",
    }
    others = {"HOME": "/", "PYPID_CONFIG": "x", "PYPID_FAILPOINTS": "x", "PYPIDX": "x", "XPYPID_FOO": "x"}
    assert parse_config("", kubernetes | others) == parse_config("")


@given(st.dictionaries(st.sampled_from(["SERVER__DRAIN", "INDEX__MAIN__BASES", "USERS__HTPASSWD"]), st.text()))
def test_no_value_breaks_the_reader(values: dict[str, str]) -> None:
    """The answer is a configuration or a list of problems, each with the name of its variable."""
    problems: tuple[str, ...] = ()
    try:
        parse_config("", {f"PYPID_{name}": value for name, value in values.items()})
    except ConfigError as e:
        problems = e.problems
    assert not [problem for problem in problems if not problem.startswith("PYPID_")]
