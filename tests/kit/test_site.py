from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.clients import version_in
from tests.kit.dists import wheel
from tests.kit.recorder import Recorder
from tests.kit.site import UV, Person, Site, running_site
from tests.kit.upstream import ScriptedIndex, SocketUpstream


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as made:
        yield made


def test_uploads_and_both_mirrors_are_there_by_http_and_https(site: Site, tmp_path: Path) -> None:
    site.publish(wheel("demo", "1.0"))
    site.pypi.add(wheel("demo", "2.0"))
    site.html.add(wheel("demo", "3.0"))
    for recorder in (site.http, site.https):
        person = Person(UV, recorder, tmp_path / recorder.url.partition(":")[0])
        for index, version in (("main", "1.0"), ("pypi", "2.0"), ("html", "3.0")):
            person.install("demo", index=index)
            assert version_in(person.target, "demo", home=tmp_path) == version
            assert recorder.take("*/simple/*") == [f"GET /{index}/simple/demo/ -> 200"]


def test_an_install_that_goes_otherwise_is_an_error(
    index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    index.add(wheel("demo", "1.0"))
    with Recorder(upstream.port) as recorder:
        person = Person(UV, recorder, tmp_path)
        assert "demo==1.0" in person.install("demo", index_url=recorder.simple)
        assert "absent" in person.install("absent", index_url=recorder.simple, fails=True)
        with pytest.raises(AssertionError, match="absent"):
            person.install("absent", index_url=recorder.simple)
        with pytest.raises(AssertionError, match=r"demo==1\.0"):
            person.install("demo", index_url=recorder.simple, fails=True)
