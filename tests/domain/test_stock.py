"""What is shown of files that come, change and go between one look and the next."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pypid.domain.catalogue import Catalogue
from pypid.domain.filenames import UnknownFilename, parse_filename
from pypid.domain.headline import Headline
from pypid.domain.loose_files import LooseFile
from pypid.domain.names import NormalizedName
from pypid.domain.sightings import OLD, FileState
from pypid.domain.stock import Found, Stock

NOW = 1_800_000_000.0
DEMO = NormalizedName("demo")

names = st.sampled_from(["demo-1.0.tar.gz", "Demo-1.0.zip", "demo-2.0-py3-none-any.whl", "other_pkg-1.tgz", "x.whl"])
paths = st.builds("/srv/{}/{}".format, st.sampled_from(["a", "a/b", "c"]), names)
states = st.builds(FileState, st.integers(0, 2), st.just(1), st.just(0), st.integers(0, 2))
looks = st.lists(st.dictionaries(paths, states, max_size=6), min_size=1, max_size=6)


def state(inode: int = 1, **changed: int) -> FileState:
    return FileState(inode, 10, 0, 0)._replace(**changed)


def loose(path: str, state: FileState, content: str = "") -> LooseFile:
    return LooseFile(path=path, state=state, sha256=hashlib.sha256(repr((content, state[:3])).encode()).hexdigest())


def shown(stock: Stock) -> Catalogue:
    catalogue = stock.catalogue("next")
    assert catalogue is not None
    return catalogue


def files_of(catalogue: Catalogue, project: NormalizedName = DEMO) -> list[str]:
    return [file.filename for file in catalogue.page(project).files]


def learned(found: list[Found], *, now: float = NOW) -> Stock:
    stock = Stock([])
    for path in stock.compare(found, now):
        stock.learn(loose(path, stock.state(path)))
    return stock


def projects_in(found: dict[str, FileState]) -> set[NormalizedName]:
    projects = set()
    for path in found:
        try:
            projects.add(parse_filename(path.rpartition("/")[2]).project)
        except UnknownFilename:
            continue
    return projects


@given(looks, st.data())
def test_whatever_happens_names_are_kept_and_what_is_offered_is_as_it_was_read(
    history: list[dict[str, FileState]], data: st.DataObject
) -> None:
    """E40: one file for each name, the first of its name; a project for each name that is there, offered or not."""
    stock, known = Stock([]), dict[str, LooseFile]()
    before: Catalogue | None = None
    for found in history:
        unread = stock.compare(sorted(found.items()), NOW)
        assert all(path not in known or known[path].state != found[path] for path in unread)
        for path in data.draw(st.lists(st.sampled_from(unread), unique=True)) if unread else []:
            known[path] = loose(path, found[path])
            stock.learn(known[path])
        gone = stock.drop_gone()
        assert set(gone) == known.keys() - found.keys()
        known = {path: file for path, file in known.items() if path not in gone}
        current = stock.catalogue("next")
        catalogue = current or before
        assert catalogue is not None
        assert set(catalogue.project_list) == projects_in(found)
        for project in catalogue.project_list:
            for file in catalogue.page(project).files:
                loose_file = catalogue.find(project, file.filename, file.digest_prefix)
                assert loose_file is not None
                assert loose_file == known[loose_file.path]
                assert loose_file.state.same_content(found[loose_file.path])
                assert loose_file.path == min(path for path in found if path.endswith(f"/{file.filename}"))
        before = catalogue


def test_nothing_new_is_nothing_to_show() -> None:
    found = [("/srv/demo-1.0.tar.gz", state())]
    stock = learned(found)
    assert files_of(shown(stock)) == ["demo-1.0.tar.gz"]
    assert stock.compare(found, NOW + 10) == []
    assert stock.catalogue("next") is None
    stock.compare([], NOW + 20)
    assert list(shown(stock).project_list) == []


def test_half_copied_file_is_not_read_and_its_name_is_ours() -> None:
    fresh = state(ctime_ns=int(NOW * 1e9))
    stock = Stock([])
    assert stock.compare([("/srv/demo-1.0.tar.gz", fresh)], NOW) == []
    assert stock.is_waiting
    assert files_of(shown(stock)) == []
    assert stock.compare([("/srv/demo-1.0.tar.gz", fresh._replace(size=11))], NOW + 10) == []
    assert stock.compare([("/srv/demo-1.0.tar.gz", fresh._replace(size=11))], NOW + 20) == ["/srv/demo-1.0.tar.gz"]
    assert not stock.is_waiting


def test_file_with_other_bytes_is_gone_until_it_is_read_and_that_is_said() -> None:
    path = "/srv/demo-1.0.tar.gz"
    stock = learned([(path, state())])
    (old,) = shown(stock).page(DEMO).files
    assert stock.compare([(path, state(2))], NOW + 10) == [path]
    assert files_of(shown(stock)) == []
    stock.learn(loose(path, state(2)))
    (new,) = shown(stock).page(DEMO).files
    assert new.digest_prefix != old.digest_prefix
    (news,) = stock.news()
    assert "has other bytes than before" in news
    assert stock.news() == []


def test_chmod_takes_nothing_out_of_the_index() -> None:
    path = "/srv/demo-1.0.tar.gz"
    stock = learned([(path, state())])
    shown(stock)
    assert stock.compare([(path, state(ctime_ns=5))], NOW + 10) == [path]
    assert files_of(shown(stock)) == ["demo-1.0.tar.gz"]


def test_of_two_files_of_one_name_the_first_counts_even_while_it_is_broken() -> None:
    """Else a name would stand for one file now and for another one later. Said once, until it has changed."""
    first, second = "/srv/a/demo-1.0.tar.gz", "/srv/b/demo-1.0.tar.gz"
    stock = Stock([])
    for turn in range(3):
        stock.compare([(first, state()), (second, state(2))], NOW + turn)
        stock.learn(replace(loose(first, state()), problem="it is no archive"))
        stock.learn(loose(second, state(2)))
        assert files_of(shown(stock)) == []
        said = [text for text in stock.news() if "hidden" in text]
        assert said == ([f"{second!r} is hidden behind {first!r}"] if turn == 0 else [])
    stock.compare([(second, state(2))], NOW + 10)
    assert files_of(shown(stock)) == ["demo-1.0.tar.gz"]


def test_other_spellings_are_one_project() -> None:
    stock = learned([("/srv/Demo.Pkg-1.0.tar.gz", state()), ("/srv/demo_pkg-2.0-py3-none-any.whl", state(2))])
    assert list(shown(stock).project_list) == ["demo-pkg"]


def test_names_that_are_none_are_said_once() -> None:
    found = [("/srv/nothing.whl", state()), ("/srv/demo-1.0-py3-none-any.whl\n.zip", state())]
    stock = learned(found)
    assert list(shown(stock).project_list) == []
    assert len(stock.news()) == 2
    stock.compare(found, NOW + 10)
    assert stock.news() == []


def test_projects_that_were_not_read_yet_are_marked_until_they_are() -> None:
    """At the first start: nobody can say what they have. Also where reading came to nothing."""
    paths = ["/srv/demo-1.0.tar.gz", "/srv/other-1.0.tar.gz"]
    stock = Stock([loose(paths[0], state())])
    assert stock.compare([(path, state()) for path in paths], NOW) == paths[1:]
    catalogue = stock.catalogue("first", paths[1:])
    assert catalogue is not None
    assert not catalogue.is_unread(DEMO)
    assert catalogue.is_unread(NormalizedName("other"))
    assert not shown(stock).is_unread(NormalizedName("other"))


def test_remembered_file_is_read_again_if_it_is_another_one() -> None:
    path = "/srv/demo-1.0.tar.gz"
    assert Stock([loose(path, state())]).compare([(path, state())], NOW) == []
    assert Stock([loose(path, state())]).compare([(path, state(2))], NOW) == [path]
    assert Stock([loose(path, state())]).knows_below("/srv/")
    assert not Stock([loose(path, state())]).knows_below("/srv/x/")


def test_catalogue_finds_the_wheel_that_describes_a_version_and_the_latest_of_each_project() -> None:
    files = [
        replace(loose(f"/srv/{name}", state(number)), headline=Headline(summary=name), core_metadata=metadata)
        for number, (name, metadata) in enumerate(
            [("demo-10.0.tar.gz", None), ("demo-9.0-py3-none-any.whl", "0" * 64), ("demo-9.0.tar.gz", None)]
        )
    ]
    catalogue = Catalogue({DEMO: files, NormalizedName("bare"): []}, revision="1")
    assert catalogue.described(DEMO, Version("9")) == files[1]
    assert catalogue.described(DEMO, Version("10")) is None
    assert [(hit.project, hit.version, hit.summary) for hit in catalogue.hits()] == [
        ("demo", "10.0", "demo-10.0.tar.gz")
    ]
    assert [page.name for page in catalogue.pages()] == ["bare", "demo"]
    assert files_of(catalogue) == ["demo-9.0-py3-none-any.whl", "demo-9.0.tar.gz", "demo-10.0.tar.gz"]
    assert catalogue.page(DEMO).versions == ("9.0", "10.0")
    assert catalogue.count == 3


def test_old_means_by_the_clock_of_the_file_system() -> None:
    assert Stock([]).compare([("/srv/demo-1.0.zip", state(ctime_ns=int((NOW - OLD) * 1e9)))], NOW)
