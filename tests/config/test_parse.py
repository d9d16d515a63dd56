"""The text of pypid.conf: what it means, and what people are told about mistakes in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.config import ConfigError, MirrorConfig, ServerConfig, UsersConfig, parse_config
from pypid.domain.names import IndexName
from tests.config.problems import problems_of


def test_no_text_is_the_built_in_configuration(tmp_path: Path) -> None:
    config = parse_config("", directory=tmp_path)
    data = tmp_path / "pypid-data"
    assert config.server == ServerConfig(data=data)
    assert config.users == UsersConfig(htpasswd=data / "htpasswd")
    assert list(config.indexes) == ["pypi", "main"]
    assert config.server.default_index == "main"


def test_values_are_those_of_the_text(tmp_path: Path) -> None:
    text = """
        [server]
        listen = ["tcp:1", "unix:/run/x"]
        data = "here"
        default_index = "root/dev"
        max_upload = "3 MiB"
        drain = "2 min"
        [index."root/dev"]
        [index.pypi]
        ca_file = "certs/ca.pem"
        [users]
        htpasswd = "/etc/users"
    """
    config = parse_config(text, directory=tmp_path, source="some.conf")
    server = config.server
    assert (server.listen, server.default_index) == (("tcp:1", "unix:/run/x"), "root/dev")
    assert (server.data, config.users.htpasswd) == (tmp_path / "here", Path("/etc/users"))
    pypi = config.indexes[IndexName("pypi")]
    assert isinstance(pypi, MirrorConfig)
    assert (pypi.ca_file, pypi.client_key) == (tmp_path / "certs" / "ca.pem", None)
    assert (server.max_upload, server.drain) == (3 * 2**20, 120.0)
    assert config.source == "some.conf"


def test_every_problem_is_told_at_once() -> None:
    text = """
        port = 8080
        [server]
        listen = ["tcp:1", "8080"]
        drian = 5
        [index.pypi]
        tll = 60
        grace = "soon"
        [index.main]
        bases = ["intern"]
        [user]
    """
    assert sorted(problems_of(text)) == [
        "[index.main] bases: no index 'intern' (have: main, pypi)",
        "[index.pypi] grace: expected a number of seconds, got 'soon'",
        "[index.pypi] tll: no such setting (did you mean ttl?)",
        "[server] drian: no such setting (did you mean drain?)",
        "[server] listen: '8080' does not say what kind of address it is (did you mean tcp:8080?)",
        "[user]: no such table (did you mean [users]?)",
        "port: no such setting outside a table",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("listen = 'tcp:1'", "listen: no such setting outside a table (did you mean [server] listen?)"),
        ("[server]\nttl = 5", "[server] ttl: no such setting (did you mean [index.NAME] ttl?)"),
        ("[users]\ndata = ''", "[users] data: no such setting (did you mean [server] data?)"),
        ("[server]\nmax-upload = 5", "[server] max-upload: no such setting (did you mean max_upload?)"),
        ("[zzz]", "[zzz]: no such table (have: [server], [users], [groups], [index.NAME], [publisher.NAME])"),
        ("server = 5", "[server]: expected a table of settings, got 5"),
        ("index = 5", "index: expected one table for each index, such as [index.main]"),
        ("[index]\nttl = 5", "[index.ttl]: expected a table of settings, got 5"),
        ("[server]\ndefault_index = 'mian'", "[server] default_index: no index 'mian' (have: main, pypi)"),
        (
            "[index.root.pypi]\nttl = 5",
            '[index.root] pypi: no such setting (a name with a slash or a dot is quoted: [index."root/pypi"])',
        ),
        ("[index.files]", "[index.files]: 'files' is a name that pypid's own URLs use"),
    ],
)
def test_a_mistake_is_named_with_what_may_be_meant(text: str, problem: str) -> None:
    assert [found.partition(" (lower-case")[0] for found in problems_of(text)] == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[server]\nlisten = [", "pypid.conf:2: "),
        ("a = 1\n\nb == 2\n", "pypid.conf:3: "),
        ("a = 1\na = 2", "pypid.conf:2: "),
        ("[server]\ndata = 'x", "pypid.conf:2: "),
        ("a = " + "[" * 5000, "pypid.conf: "),
        ("a = 1-", "pypid.conf:1: "),
        ("a = " + "1" * 5000, "pypid.conf: "),
        ("a = 0000-00-00", "pypid.conf"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text: str, problem: str) -> None:
    (found,) = problems_of(text)
    assert found.startswith(problem)


def test_missing_quotes_are_told() -> None:
    """The two mistakes that TOML's own message does not explain."""
    (index,) = problems_of("[index.root/pypi]")
    assert index.endswith('(did you mean [index."root/pypi"]?)')
    (backslash,) = problems_of(r"[server]" + "\n" + r'listen = "tcp6:1:interface=\:\:"')
    assert backslash.endswith("(a text with a backslash stands in single quotes)")


def test_byte_order_mark_and_windows_lines_are_accepted() -> None:
    assert parse_config("\ufeff[server]\r\ndrain = 1\r\n").server.drain == 1


def test_what_was_parsed_cannot_be_changed_by_accident() -> None:
    config: Any = parse_config("")
    with pytest.raises(TypeError):
        config.indexes[IndexName("x")] = None


@given(st.text("[]server.\n='\"\\#index 5pytl:,{}\x00\ufeff\r\u2028", max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever an editor left in the file, the answer is a configuration or a list of problems, one line each."""
    problems: tuple[str, ...] | None = None
    try:
        parse_config(text)
    except ConfigError as e:
        problems = e.problems
    assert problems != ()
    assert not [problem for problem in problems or () if "\n" in problem]
