"""
Uploads that are meant to hurt, sent to a real daemon: each is answered, and all others as well.

With ``FUZZ=100`` in the environment there are a hundred times as many mutated ones, for a night.
"""

from __future__ import annotations

import base64
import os
import tarfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.domain.validation.wheels import INFO, wheel_of
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.procfs import children_seconds
from tests.kit.rawclient import Answer, connect, get, request_bytes
from tests.kit.tars import ROOT, packed, pkg_info, tar_gz, tar_member
from tests.kit.zip_shapes import ACCEPTED, REFUSED, Shape
from tests.kit.zips import DEFLATED, Member
from tests.web.forms import BOUNDARY, fields_of, form, multipart, part
from tests.web.hostile_forms import Sent, unreadable, uploads

MIB = 1024 * 1024
PASSWORD = "correct horse battery staple"
ALICE = {"Authorization": "Basic " + base64.b64encode(f"alice:{PASSWORD}".encode()).decode()}

FUZZ = int(os.environ.get("FUZZ", "1"))
UNREADABLE = 300 * FUZZ
"""Uploads that are refused for their form, as a rule: most take a few milliseconds."""
MUTATED = 60 * FUZZ
"""Those that are looked into, as a rule: a process each."""
WARM = 30
"""Of each: then the daemon has all that it keeps in memory."""
GROWTH = 16 * MIB
"""Of a process that frees what it took: what its allocator keeps back."""

BOMB_SECONDS = 5
"""Of a processor, that looking into any one file may take here."""


@pytest.fixture
def own(daemon: DaemonFactory) -> Daemon:
    """A daemon with one index for uploads, and a user."""
    started = daemon(config={"index": {"main": {"bases": []}, "pypi": {"enabled": False}}})
    started.add_user("alice", PASSWORD)
    return started


def send(d: Daemon, content_type: str, body: bytes) -> Answer:
    headers = {**ALICE, "Content-Type": content_type, "Content-Length": str(len(body)), "Connection": "close"}
    with connect("127.0.0.1", d.port, timeout=60) as client:
        with suppress(ConnectionError):  # an answer may come before the body is through
            client.send(request_bytes("POST", "/legacy/", f"127.0.0.1:{d.port}", headers) + body)
        return client.read_answer()


def upload(d: Daemon, dist: Dist) -> Answer:
    return send(d, *multipart(fields_of(dist), dist))


def numbered(shapes: dict[str, Shape]) -> Iterator[tuple[str, Shape, Dist]]:
    """Yield each shape with the wheel of it, under a name of its own."""
    for number, (name, shape) in enumerate(shapes.items()):
        filename = f"demo-1.0-{number}-py3-none-any.whl"
        yield name, shape, replace(wheel("demo"), filename=filename, content=wheel_of(shape))


def test_every_shape_of_zip_archive(own: Daemon) -> None:
    """B60: with the text of the pure module on the status line and in the body; those of one reading are served."""
    for name, shape, dist in numbered({**ACCEPTED, **REFUSED}):
        answer = upload(own, replace(dist))
        if shape.why:
            assert (name, answer.status) == (name, 400)
            assert answer.reason == f"Invalid distribution file. {shape.problem}."
            assert answer.body.decode() == f"Invalid distribution file. {shape.problem}.\n"
        else:
            assert (name, answer.status) == (name, 200), answer.body
    page = get(f"{own.simple}demo/").body.decode()
    for name, shape, dist in numbered({**ACCEPTED, **REFUSED}):
        assert (dist.filename in page) == (not shape.why), name


def send_all(d: Daemon, mutated: st.SearchStrategy[Sent], count: int) -> None:
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate])
    @given(mutated)
    def post(sent: Sent) -> None:
        answer = send(d, sent.content_type, sent.body)
        assert answer.status in {200, 400, 410, 413}, answer
        assert answer.complete
        assert "x-evil" not in answer.headers

    post()


def test_mutated_uploads(own: Daemon) -> None:
    """B68: no 5xx, no memory that stays taken; the log and what is in staging are looked at when the test is over."""
    send_all(own, unreadable, WARM)
    send_all(own, uploads, WARM)
    before = own.rss()
    send_all(own, unreadable, UNREADABLE)
    send_all(own, uploads, MUTATED)
    assert own.rss() - before < GROWTH
    assert upload(own, wheel("after")).status == 200


def bodies() -> Iterator[tuple[str, str, bytes, str]]:
    """B41: bodies that are no trouble to make, and were to read."""
    typed, body = multipart(fields_of(wheel("demo")), wheel("demo"))
    field = part('name="classifiers"', b"x")
    delimiter = b"--" + BOUNDARY.encode() + b"\r\n"
    yield "a million parts", typed, (delimiter + field + b"\r\n") * 10**6, "too many parts"
    yield "a million empty parts", typed, delimiter * 10**6, "no multipart form"
    yield "a part's header of 1 MB", *form(b"X: " + b"a" * MIB + b"\r\n\r\n"), "headers that are too long"
    yield "a line of 20 MB", typed, b"a" * (20 * MIB), "no multipart form"
    yield "20 MB of nothing", typed, b"\r\n" * (10 * MIB), "no multipart form"
    yield "20 MB of text", *form(part('name="description"', b"a" * (20 * MIB))), "text fields of the form"
    yield "20 MB that never close", typed, delimiter + field + b"a" * (20 * MIB), "text fields of the form"
    yield "a boundary of 5 kB", f"multipart/form-data; boundary={'x' * 5000}", body, "no multipart form"
    yield "almost a boundary, ever again", typed, delimiter + field + (b"\r\n--" + BOUNDARY.encode()[:-1]) * MIB, "form"


def test_bodies_that_are_made_to_be_parsed_slowly(own: Daemon) -> None:
    """B41: refused for what they are, in memory that does not grow with them."""
    assert upload(own, wheel("before")).status == 200
    before = own.peak_rss()
    for name, content_type, body, why in bodies():
        answer = send(own, content_type, body)
        assert (name, answer.status) == (name, 400)
        assert why in answer.body.decode(), name
    assert own.peak_rss() - before < 48 * MIB
    assert upload(own, wheel("after")).status == 200


def bombs() -> Iterator[tuple[Dist, str]]:
    """B61, B62: a few hundred kilobytes each, at the most, and why they are refused."""
    made, source = wheel("demo"), sdist("demo")
    zeros = Member("demo/zeros", bytes(128 * MIB), DEFLATED)
    numbers = {"size": 9, "crc": zlib.crc32(bytes(9))}
    liar = replace(zeros, local=numbers, central=numbers)
    told = {"size": 2**32 - 2}
    wheels = {
        "File exceeds compression ratio of 50": Shape(members=[zeros]),
        "'demo/zeros' cannot be unpacked": Shape(members=[liar]),
        "compression ratio of 50": Shape(members=[replace(zeros, local=told, central=told)]),
        "Filename not in central directory": REFUSED["two entries for one file"],
        "does not use a supported compression type": Shape(members=[Member(f"{INFO}/entry_points.txt", b"BZh9", 12)]),
    }
    for number, (why, shape) in enumerate(wheels.items()):
        yield replace(made, filename=f"demo-1.0-{number}-py3-none-any.whl", content=wheel_of(shape)), why
    sdists = {
        "compression ratio of 50": tar_gz(pkg_info(), tar_member(f"{ROOT}/zeros", bytes(128 * MIB))),
        "compression ratio of 50 ": packed(bytes(128 * MIB)),
        "More than 100000 members": tar_gz(pkg_info(), tar_member(f"{ROOT}/a") * 100_001),
        "An extended header of more than": tar_gz(pkg_info(), tar_member("x", kind=tarfile.XHDTYPE, size=2**30)),
        "Sparse members are not allowed": tar_gz(pkg_info(), tar_member(f"{ROOT}/a", kind=tarfile.GNUTYPE_SPARSE)),
    }
    for why, content in sdists.items():
        yield replace(source, content=content), why.strip()


def test_bombs(own: Daemon) -> None:
    """B61, B62: refused, with little computing for each; and whoever asks for something else meanwhile has it."""
    made = list(bombs())
    for dist, why in made:
        before = children_seconds(own.pid)
        answer = upload(own, dist)
        assert (answer.status, why in answer.body.decode()) == (400, True), (why, answer)
        assert children_seconds(own.pid) - before < BOMB_SECONDS, why
    assert upload(own, wheel("demo")).status == 200
    with ThreadPoolExecutor(4) as pool:
        under_way = [pool.submit(upload, own, dist) for dist, _ in made]
        answered = 0
        while not all(each.done() for each in under_way):
            assert get(f"{own.simple}demo/").status == 200
            answered += 1
    assert {each.result().status for each in under_way} == {400}
    assert answered > 10 * len(under_way)
