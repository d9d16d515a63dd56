"""The settings that say what kind of upstream it is."""

from __future__ import annotations

import pytest

from pypid.config import MirrorConfig, parse_config
from pypid.config.settings import DEFAULT_FILE_HOST
from pypid.domain.names import IndexName
from pypid.domain.reach import AllowedHosts
from tests.config.problems import problems_of


def mirror(text: str, name: str = "other") -> MirrorConfig:
    settings = parse_config(text, {}).indexes[IndexName(name)]
    assert isinstance(settings, MirrorConfig)
    return settings


def test_every_one_of_them() -> None:
    settings = mirror("""
        [index.other]
        upstream = "https://one.test/simple"
        failover = ["https://two.test/simple", "http://three.test:8080/x/"]
        allow_hosts = ["files.test", "*.cdn.test", "[::1]:8443", "*"]
        missing_status = [403, 401]
        """)
    assert settings.failover == ("https://two.test/simple/", "http://three.test:8080/x/")
    assert settings.allow_hosts == ("files.test", "*.cdn.test", "[::1]:8443", "*")
    assert settings.missing_status == (403, 401)
    assert settings.layout == "simple"


def test_lists_may_come_from_the_environment() -> None:
    environ = {"PYPID_INDEX__PYPI__ALLOW_HOSTS": "a.test, b.test:81", "PYPID_INDEX__PYPI__MISSING_STATUS": "403"}
    settings = parse_config("", environ).indexes[IndexName("pypi")]
    assert isinstance(settings, MirrorConfig)
    assert (settings.allow_hosts, settings.missing_status) == (("a.test", "b.test:81"), (403,))


@pytest.mark.parametrize(
    ("upstream", "read"),
    [
        ("https://one.test/wheels/links.html", "https://one.test/wheels/links.html"),
        ("https://one.test/wheels", "https://one.test/wheels/"),
    ],
)
def test_page_of_links_keeps_its_url(upstream: str, read: str) -> None:
    settings = mirror(f"""[index.other]\nupstream = "{upstream}"\nlayout = "find-links\"""")
    assert (settings.upstream, settings.layout) == (read, "find-links")


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ('layout = "flat"', 'layout: expected "simple" or "find-links", got \'flat\''),
        ("missing_status = [500]", "missing_status: expected statuses from 400 to 499 other than 429, got 500"),
        ("missing_status = [429]", "other than 429, got 429"),
        ("missing_status = [200]", "got 200"),
        ("missing_status = [true]", "got true"),
        ('allow_hosts = ["https://files.test"]', "allow_hosts: expected hosts such as files.example"),
        ('allow_hosts = ["files.test/x"]', "got 'files.test/x'"),
        ('allow_hosts = ["*.*.test"]', "got '*.*.test'"),
        ('allow_hosts = ["files.test:0"]', "got 'files.test:0'"),
        ('allow_hosts = ["files.test:99999"]', "got 'files.test:99999'"),
        ('allow_hosts = [""]', "got ''"),
        ('failover = ["ftp://x.test/"]', "failover: expected a URL"),
        ('layout = "find-links"\nupstream_project_list = true', "there is no list of projects"),
    ],
)
def test_what_cannot_be(setting: str, problem: str) -> None:
    (line,) = problems_of(f'[index.other]\nupstream = "https://one.test/"\n{setting}')
    assert problem in line


def test_a37_the_file_host_of_the_default_upstream_is_known() -> None:
    for text, name, expected in (
        ("", "pypi", True),
        ('[index.pypi]\nallow_hosts = ["files.test"]', "pypi", True),
        ('[index.other]\nupstream = "https://one.test/"', "other", False),
    ):
        settings = mirror(text, name)
        hosts = AllowedHosts([settings.upstream], settings.allowed_hosts)
        assert hosts.allow(f"https://{DEFAULT_FILE_HOST}/x") is expected
