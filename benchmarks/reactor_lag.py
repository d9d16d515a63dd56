"""
How long the daemon keeps other clients waiting while it deals with its biggest pages.

    python -m benchmarks.reactor_lag [--projects 1000000] [--clients 8]

A real daemon mirrors a scripted upstream that has pages of grpcio's and numpy's shape and a list of a million
projects. Clients ask for each in every form, first when nothing is known (cold), then again (hot). Meanwhile one more
client asks for ``/-/health``, over and over: what it waits for its answer is how long the reactor was busy with
something else. The line "idle" is the same without any load: what the machine itself does to it. Goal: below 50 ms.

Upstream, clients and the asker for health are processes of their own, apart from the daemon.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import http.client
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.kit.daemon import Daemon
from tests.kit.upstream import ScriptedIndex, SocketUpstream, Status

MIB = 2**20
PAGES = {"grpcio": 11_221, "numpy": 4_415}
"""Files on the page at PyPI, mid-2026."""

JSON = "application/vnd.pypi.simple.v1+json"
FORMS = [(accept, coding) for accept in (JSON, "text/html") for coding in ("gzip", "zstd", "identity")]

WARM_UP = 200
"""First answers that are not counted: the asker itself is being started."""

_spawn = multiprocessing.get_context("spawn")


def page(project: str, files: int) -> bytes:
    """Return a page as PyPI sends it, with its digests, sizes, times and metadata."""
    entries = []
    for number in range(files):
        version, build = divmod(number, 60)
        name = f"{project}-1.{version}.0-cp3{build % 15}-cp3{build % 15}-manylinux_2_17_x86_64.b{build}.whl"
        name = name.replace(f".b{build}", f".manylinux{build}_x86_64")
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        entries.append(
            {
                "core-metadata": {"sha256": sha256[::-1]},
                "data-dist-info-metadata": {"sha256": sha256[::-1]},
                "filename": name,
                "hashes": {"sha256": sha256},
                "provenance": None,
                "requires-python": ">=3.9",
                "size": 5_000_000 + number,
                "upload-time": f"2026-01-02T03:04:05.{number:06}Z",
                "url": f"https://files.test/packages/{sha256[:2]}/{sha256[2:4]}/{sha256[4:]}/{name}",
                "yanked": False,
            }
        )
    versions = [f"1.{number}.0" for number in range(files // 60 + 1)]
    document = {"meta": {"api-version": "1.4"}, "name": project, "versions": versions, "files": entries}
    return json.dumps(document).encode()


def project_list(projects: int) -> bytes:
    names = (hashlib.sha256(b"%d" % number).hexdigest()[: 6 + number % 16] for number in range(projects))
    return json.dumps(
        {"meta": {"api-version": "1.4"}, "projects": [{"_last-serial": 1, "name": n} for n in names]}
    ).encode()


def sent(body: bytes) -> Status:
    zipped = gzip.compress(body, 6)
    head = {"Content-Type": JSON, "Content-Encoding": "gzip", "Content-Length": str(len(zipped)), "ETag": '"x"'}
    return Status(200, head, zipped)


@contextmanager
def upstream_of(projects: int) -> Iterator[str]:
    mine, theirs = _spawn.Pipe()
    process = _spawn.Process(target=_serve, args=(theirs, projects))
    process.start()
    yield mine.recv()
    mine.send(None)
    process.join()


def _serve(pipe: Connection, projects: int) -> None:
    index = ScriptedIndex()
    for project, files in PAGES.items():
        index.script(f"/simple/{project}/", sent(page(project, files)), times=None)
    index.script("/simple/", sent(project_list(projects)), times=None)
    upstream = SocketUpstream(index)
    upstream.start()
    pipe.send(upstream.url)
    pipe.recv()
    upstream.stop()


def _probe(pipe: Connection, port: int) -> None:
    """Ask for health until told to stop; tell how long each answer took, in milliseconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    waits: list[float] = []
    while not pipe.poll():
        begin = time.perf_counter()
        connection.request("GET", "/-/health")
        connection.getresponse().read()
        waits.append(1000 * (time.perf_counter() - begin))
        time.sleep(0.001)
    pipe.send(waits[WARM_UP:])


def _load(port: int, path: str, clients: int) -> None:
    def ask(form: tuple[str, str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        connection.request("GET", path, headers={"Accept": form[0], "Accept-Encoding": form[1]})
        answer = connection.getresponse()
        while answer.read(MIB):
            pass
        assert answer.status == 200, answer.status

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(ask, FORMS * (-(-clients // len(FORMS)))))


def measured(name: str, daemon: Daemon, act: Callable[[], None]) -> None:
    """Print what the probe saw while ``act`` ran."""
    mine, theirs = _spawn.Pipe()
    probe = _spawn.Process(target=_probe, args=(theirs, daemon.port))
    probe.start()
    time.sleep(1)
    begin = time.perf_counter()
    act()
    took = time.perf_counter() - begin
    mine.send(None)
    waits = sorted(mine.recv())
    probe.join()
    late = sum(wait > 50 for wait in waits)
    print(
        f"{name:24} {took:6.1f} s   longest {waits[-1]:6.1f} ms   99 % below {waits[int(len(waits) * 0.99)]:5.1f} ms   "
        f"{late} of {len(waits)} above 50 ms   memory {daemon.rss() // MIB} MiB, peak {daemon.peak_rss() // MIB}",
        flush=True,
    )


def loaded(daemon: Daemon, path: str, clients: int) -> None:
    """Ask for ``path`` in all forms, ``clients`` at once."""
    process = _spawn.Process(target=_load, args=(daemon.port, path, clients))
    process.start()
    process.join()
    assert process.exitcode == 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description="How long the daemon keeps others waiting while it deals with big pages."
    )
    parser.add_argument("--projects", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    with TemporaryDirectory() as directory, upstream_of(options.projects) as url:
        mirror = {"upstream": url, "upstream_project_list": True, "page_timeout": 120}
        daemon = Daemon(Path(directory), {"index": {"pypi": mirror}})
        daemon.start()
        try:
            measured("idle", daemon, lambda: time.sleep(5))
            for path in (*(f"/pypi/simple/{project}/" for project in PAGES), "/pypi/simple/"):
                ask = partial(loaded, daemon, path, options.clients)
                measured(f"{path} cold", daemon, ask)
                measured(f"{path} hot", daemon, ask)
            measured("idle", daemon, lambda: time.sleep(5))
        finally:
            daemon.kill()


if __name__ == "__main__":
    main()
