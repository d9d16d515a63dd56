"""The tables ``[publisher.NAME]``, and what they are told to be wrong with them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import pypid
from pypid.config import parse_config
from pypid.config.publishers import PublisherConfig
from pypid.config.settings import PUBLISHER_SETTINGS
from pypid.domain.claim_rules import GITHUB
from tests.config.problems import problems_of

GOOD = """
[publisher.app]
issuer = "github"
index = "main"
projects = ["App_Core", "app-*"]
claims = { repository = "acme/app", repository_owner_id = 99, ref = ["refs/heads/main", "refs/tags/*"] }
"""


def table(text: str) -> PublisherConfig:
    return parse_config(text).publishers["app"]


def changed(key: str, value: str) -> str:
    return re.sub(f"^{key} = .*$", f"{key} = {value}", GOOD, flags=re.MULTILINE)


def test_none_by_default() -> None:
    assert parse_config("").publishers == {}


def test_read() -> None:
    assert table(GOOD) == PublisherConfig(
        issuer=GITHUB,
        index=parse_config("").server.default_index,
        projects=("app-core", "app-*"),
        claims={
            "repository": ("acme/app",),
            "repository_owner_id": ("99",),
            "ref": ("refs/heads/main", "refs/tags/*"),
        },
    )


def test_issuer_is_taken_as_it_is_written() -> None:
    """With or without its slash: tokens have it exactly so."""
    for issuer in ("https://gitlab.example", "https://gitlab.example/", "https://id.example/realms/ci"):
        assert table(changed("issuer", f'"{issuer}"').replace("repository =", "project_path =")).issuer == issuer


def test_keys_of_an_issuer(tmp_path: Path) -> None:
    for given, read in (
        ("https://id.example/keys", "https://id.example/keys"),
        ("keys.json", tmp_path / "keys.json"),
        ("/etc/keys.json", Path("/etc/keys.json")),
        ("", None),
    ):
        found = parse_config(f'{GOOD}jwks = "{given}"\nca_file = "ca.pem"', directory=tmp_path).publishers["app"]
        assert (found.jwks, found.ca_file) == (read, tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("publisher = 1", "publisher: expected one table"),
        ("[publisher.App]", "[publisher.App]: not a publisher's name"),
        ("[publisher.'a b']", "[publisher.'a b']: not a publisher's name"),
        ("[publisher.app]", "[publisher.app]: issuer and index and projects must be given"),
        (GOOD + "repository = 'x'", "[publisher.app] repository: no such setting"),
        (changed("issuer", '"http://gitlab.example"'), "[publisher.app] issuer: expected a URL that begins with https"),
        (changed("issuer", '"gitea"'), "[publisher.app] issuer: expected a URL"),
        (changed("index", '"pypi"'), "[publisher.app] index: no index 'pypi' that takes uploads"),
        (changed("index", '"other"'), "[publisher.app] index: no index 'other' that takes uploads"),
        (changed("projects", "[]"), "[publisher.app] projects: expected a list of projects"),
        (changed("projects", '["a/b"]'), "[publisher.app] projects: the project pattern 'a/b'"),
        (changed("projects", '["!app"]'), "[publisher.app] projects: the project pattern '!app'"),
        (changed("claims", "{}"), "[publisher.app] claims: they would let in everybody"),
        (changed("claims", '{ ref = "refs/heads/main" }'), "[publisher.app] claims: they would let in everybody"),
        (changed("claims", '{ repository = "*/app" }'), "[publisher.app] claims: they would let in everybody"),
        (changed("claims", "{ repository = [] }"), "[publisher.app] claims: 'repository': expected a text"),
        (changed("claims", "{ repository = 1.5 }"), "[publisher.app] claims: 'repository': expected a text"),
        (changed("claims", '"acme/app"'), "[publisher.app] claims: expected a table"),
        (GOOD + 'jwks = "http://id.example/"', "[publisher.app] jwks: expected a URL that begins with https"),
        ("[server]\noidc_audience = ''", "[server] oidc_audience: expected a word"),
        ("[publishers.app]", "[publishers]: no such table (did you mean [publisher.NAME]?)"),
    ],
)
def test_refused(text: str, problem: str) -> None:
    assert [said for said in problems_of(text) if said.startswith(problem)]


def test_publishers_of_one_issuer_agree_on_its_keys() -> None:
    other = GOOD.replace("publisher.app", "publisher.lib")
    assert set(parse_config(GOOD + other).publishers) == {"app", "lib"}
    assert problems_of(f'{GOOD}{other}jwks = "keys.json"') == (
        "[publisher.lib]: jwks or ca_file is not that of [publisher.app], which has the same issuer",
    )


def test_what_the_page_on_it_shows_is_right() -> None:
    page = (Path(pypid.__file__).parents[1] / "docs" / "trusted-publishing.md").read_text(encoding="utf-8")
    shown = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    assert len(shown) == 2
    for text in shown:
        assert parse_config(text).publishers


def test_the_guide_and_the_example_have_every_setting() -> None:
    repository = Path(pypid.__file__).parents[1]
    guide = (repository / "docs" / "configure.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^### `\[publisher\.NAME\]`\n(.*?)(?=^##|\Z)", guide, flags=re.MULTILINE | re.DOTALL)
    keys = {setting.key for setting in PUBLISHER_SETTINGS}
    assert set(re.findall(r"^\| `(\w+)`", section, flags=re.MULTILINE)) == keys
    example = (repository / "etc" / "pypid.conf").read_text(encoding="utf-8")
    _, start, rest = example.partition("#   [publisher.app]\n")
    shown = "\n".join(re.findall(r"^#   (.*)$", start + rest, flags=re.MULTILINE))
    assert set(tomllib.loads(shown)["publisher"]["app"]) == keys
    parse_config(shown)
