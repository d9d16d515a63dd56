"""``pypid warm``: what is asked of an index, and what is said of it."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import pytest
from click.testing import Result

from pypid.cli import jobs
from pypid.cli.warm_report import show_size
from tests.cli.command import pypid, without_settings
from tests.domain.locks import UV
from tests.kit.dists import sdist, wheel
from tests.kit.upstream import Fin, FlipByte, ScriptedIndex, SetHeaders, SocketUpstream, Stall, Status

ROOT = wheel("root", "2.0", requires=["left>=1", "extra-one; extra == 'x'", "win; sys_platform == 'win32'"])
OLD_ROOT = wheel("root", "1.0")
LEFT = wheel("left", "1.5", requires=["root", "deep<2"])
NEW_LEFT = wheel("left", "3.0", requires=["deep"])
DEEP = wheel("deep", "1.0")
NEW_DEEP = wheel("deep", "2.0")
EXTRA = wheel("extra-one")
ALL = (ROOT, OLD_ROOT, LEFT, NEW_LEFT, DEEP, NEW_DEEP, EXTRA)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, index: ScriptedIndex) -> None:
    without_settings(monkeypatch, tmp_path)
    monkeypatch.setattr(jobs, "MAX_PAUSE", 0)
    for dist in ALL:
        index.add(dist)


def warm(upstream: SocketUpstream, *args: str | Path) -> Result:
    return pypid("warm", "--url", upstream.url, *args)


def files(index: ScriptedIndex) -> set[str]:
    """What was fetched, without the ends of its name."""
    names = (path.rpartition("/")[2] for path in index.paths())
    return {"-".join(name.split("-")[:2]) for name in names if name.endswith((".whl", ".tar.gz"))}


def test_names(index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """The newest that matches: its page, its metadata and the file, each once."""
    result = warm(upstream, "root", "left<2", "ROOT")
    size = len(ROOT.content) + len(LEFT.content)
    assert result.stdout.splitlines()[-1] == f"2 files of 2 projects: all there now ({show_size(size)} read)"
    assert sorted(result.stdout.splitlines()[:-1]) == [
        f"{dist.filename}: {show_size(len(dist.content))}" for dist in (LEFT, ROOT)
    ]
    assert (result.exit_code, result.stderr) == (0, "")
    wanted = [f"/simple/{dist.project}/" for dist in (LEFT, ROOT)]
    wanted += [path for dist in (LEFT, ROOT) for path in (index.file_path(dist), f"{index.file_path(dist)}.metadata")]
    assert sorted(index.paths()) == sorted(["/simple/", *wanted])


def test_dependencies(index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """The newest of each that matches, and that the command line and its constraints allow; in circles as well."""
    assert warm(upstream, "root", "--with-dependencies").exit_code == 0
    assert files(index) == {"root-2.0", "left-3.0", "deep-2.0"}
    index.requests.clear()
    assert warm(upstream, "root[x]", "left<2", "--with-dependencies").exit_code == 0
    assert files(index) == {"root-2.0", "left-1.5", "deep-1.0", "extra_one-1.0"}
    index.requests.clear()
    Path("limits.txt").write_text("deep<2")
    Path("r.txt").write_text("root\n-c limits.txt")
    assert warm(upstream, "r.txt", "--with-dependencies").exit_code == 0
    assert files(index) == {"root-2.0", "left-3.0", "deep-1.0"}


def test_dependencies_of_another_platform(index: ScriptedIndex, upstream: SocketUpstream) -> None:
    index.add(wheel("win"))
    args = ("--with-dependencies", "--python", "3.12", "--platform", "win_amd64", "--platform", "macosx_14_0_arm64")
    assert warm(upstream, "root", *args).exit_code == 0
    assert files(index) == {"root-2.0", "left-3.0", "deep-2.0", "win-1.0"}


def test_dependencies_that_nobody_can_tell(index: ScriptedIndex, upstream: SocketUpstream) -> None:
    index.add(sdist("source-only", requires=["deep"]))
    result = warm(upstream, "source-only", "--with-dependencies")
    assert (result.exit_code, files(index)) == (1, {"source_only-1.0.tar.gz"})
    assert "failed: source_only-1.0.tar.gz: what it requires is not known" in result.stderr


def test_filters(index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """By Python and platform; or every file; source distributions too; all versions."""
    names = [f"left-4.0-cp3{minor}-cp3{minor}-{tag}.whl" for minor in (11, 12) for tag in ("win_amd64", "win32")]
    for name in [*names, "left-4.0-cp312-cp312-musllinux_1_2_x86_64.whl"]:
        index.add(wheel("left", "4.0", summary=name), filename=name)
    index.add(sdist("left", "4.0"))

    def fetched(*args: str) -> set[str]:
        index.requests.clear()
        assert warm(upstream, *args).exit_code == 0
        return {path.rpartition("/")[2] for path in index.paths() if path.endswith((".whl", ".gz"))}

    windows = ["--python", "3.11", "--python", "3.12", "--platform", "win_amd64"]
    assert fetched("left", *windows) == {names[0], names[2]}
    assert fetched("left", *windows, "--sdists") == {names[0], names[2], "left-4.0.tar.gz"}
    assert fetched("left", "--python", "3.10", "--platform", "win32") == {"left-4.0.tar.gz"}
    assert len(fetched("left", "--every-file")) == 6
    Path("limits.txt").write_text("left<4\nleft<2; sys_platform == 'beos'")
    Path("limited.txt").write_text("left\n-c limits.txt")
    assert fetched("--every-file", "limited.txt") == {NEW_LEFT.filename}
    assert fetched("left", *windows, "--all-versions") == {names[0], names[2], LEFT.filename, NEW_LEFT.filename}


def test_a_lock_file(index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """Its files, whatever is newer; what no installer could take here is skipped; other bytes are a failure."""
    other = wheel("root-thing", "2.0")
    for dist in (other, wheel("root-thing", "3.0"), wheel("devtool", "1.0")):
        index.add(dist)
    lock = UV.replace("a" * 64, other.sha256).replace("left-1.5-py3-none-any", "left-1.5-cp27-cp27m-win32")
    Path("uv.lock").write_text(lock.replace('sdist = { url = "https://files.test/left', 'x = { url = "'))
    result = warm(upstream, "uv.lock", "--python", "3.12", "--platform", "win_amd64")
    differs = f"the index has it with sha256 {wheel('devtool').sha256}, uv.lock with {'d' * 64}"
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "skipped: uv.lock: from-git is not from an index",
        "skipped: uv.lock: left 1.5 has no file for Python 3.12 on win_amd64",
        f"failed: devtool-1.0-py3-none-any.whl: {differs}",
    ]
    assert files(index) == {"root_thing-2.0"}


def test_what_could_not_be_got(index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """Is listed, with who wanted it; all else is there. As JSON on demand."""
    index.script("*/deep-2.0*.whl", FlipByte(99))
    Path("r.txt").write_text("root\nnosuch>=1\nleft>9\ndeep\n./here")
    result = warm(upstream, "r.txt", "--json", "--python", "3.12", "--platform", "win_amd64")
    assert (result.exit_code, result.stderr) == (1, "")
    report = json.loads(result.stdout)
    failures = {failure["what"]: failure["why"] for failure in report["failures"]}
    assert failures.pop(NEW_DEEP.filename).startswith("it has sha256 ")
    assert failures == {
        "nosuch (r.txt:2)": "404 Not Found",
        "left>9 (r.txt:3)": "no version that matches has a file for Python 3.12 on win_amd64",
    }
    assert report["skipped"] == ["r.txt:5: './here' is not from an index"]
    assert report["files"] == [
        {"filename": ROOT.filename, "sha256": ROOT.sha256, "read": len(ROOT.content), "already": None}
    ]
    assert (report["complete"], report["stopped"], report["projects"]) == (False, None, 3)


def test_what_may_pass_is_tried_again(index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """Once, when everything else is done."""
    index.script("/simple/root/", Status(503, {"Retry-After": "3600"}))
    index.script("*/left*.whl", Fin(at=100))
    index.script("*/deep*.metadata", Status(502), times=2)
    result = warm(upstream, "root", "left", "deep")
    assert (result.exit_code, files(index)) == (1, {"root-2.0", "left-3.0", "deep-2.0"})
    assert result.stderr == f"failed: {NEW_DEEP.filename}.metadata: 502 Bad Gateway\n"
    assert index.paths().count("/simple/root/") == 2
    assert index.count(glob="*/left*.whl") == 2


def test_what_was_already_there(index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """Where the daemon says so."""
    index.script("*/root*.whl", SetHeaders({"Cache-Status": "pypid; hit"}))
    index.script("*/left*.whl", SetHeaders({"Cache-Status": "pypid; fwd=uri-miss; stored"}))
    result = warm(upstream, "root", "left")
    assert result.stdout.splitlines()[-1] == (
        f"2 files of 2 projects: 1 fetched ({len(NEW_LEFT.content)} bytes), 1 already there"
    )
    assert f"{ROOT.filename}: already there" in result.stdout


def test_a_daemon_that_goes_away(index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """Ends it, with what is done and how to go on."""
    stall = Stall(at=100)
    index.script("*/left*.whl", stall)

    def stop() -> None:
        stall.barrier.wait_reached()
        upstream.stop()

    thread = threading.Thread(target=stop)
    thread.start()
    result = warm(upstream, "left")
    thread.join()
    assert result.exit_code == 1
    why = rf"no pypid answers at {upstream.url}: Connection refused"
    assert re.fullmatch(rf"stopped with at least \d requests? to go: {why}; run it again to go on\n", result.stderr)
    assert result.stdout == "0 files of 1 project: 0 fetched (0 bytes), 0 already there\n"


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ([], "Missing argument 'NAME|FILE...'"),
        (["no such", "x.lock"], "'no such' is no requirement"),
        (["root", "--python", "2.7"], "such as 3.12 or 3.13t, got '2.7'"),
        (["root", "--platform", "any"], "such as manylinux_2_28_x86_64"),
        (["root", "--every-file", "--python", "3.12"], "leave out --python and --platform"),
        (["root", "--every-file", "--with-dependencies"], "leave out --every-file"),
        (["root", "--url", "ftp://x"], "--url: expected one that begins with http://"),
        (["root", "--url", "http://x/simple/", "--index", "main"], "leave out simple/, or --index"),
        (["root", "--url", "http://x", "--index", "-"], "--index: not an index name: '-'"),
    ],
)
def test_usage(args: list[str], problem: str) -> None:
    result = pypid("warm", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert problem in result.stderr


@pytest.mark.parametrize("option", ["url", "listen"])
def test_which_index(option: str, index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """The default one, or the one that is named; where the daemon is, the configuration says, or --url."""
    url = ["--url", upstream.root] if option == "url" else []
    Path("pypid.conf").write_text(
        f"[server]\nlisten = ['unix:/run/x', 'tls:1', 'tcp:{upstream.port}']\ncertificates = 'for-another-name.pem'"
    )
    assert pypid("warm", "root", *url).exit_code == 0
    result = pypid("warm", "root", "--index", "root/pypi", *url)
    assert result.stderr == f"pypid: {upstream.root}/root/pypi/simple/: 404 Not Found\n"
    assert result.exit_code == 1
    assert index.count(glob="/root/pypi/simple/") == 1


def test_a_daemon_without_a_port() -> None:
    Path("pypid.conf").write_text("[server]\nlisten = ['unix:/run/x']")
    result = pypid("warm", "root")
    assert (result.exit_code, "listen has no port to reach the daemon at; give --url" in result.stderr) == (2, True)
