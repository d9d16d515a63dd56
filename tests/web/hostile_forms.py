"""
Hypothesis strategies for uploads that nobody should send: bodies, forms, names and archives.

    @given(uploads)
    def test(sent: Sent) -> None: ...  # POST sent.body as sent.content_type
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from tests.domain.strategies import hostile_texts
from tests.domain.validation.wheels import wheel_of
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.tars import packed
from tests.kit.zip_shapes import ACCEPTED, REFUSED
from tests.web.forms import BOUNDARY, fields_of, part

WHEEL = wheel("demo", requires=["other>=2"], requires_python=">=3.9")
LONG = 70_000
"""Bytes that ``<long>`` stands for: more than a part's header ever has, and than one read of a socket."""


@dataclass(frozen=True)
class Sent:
    """The body of one request, and its Content-Type as in the header."""

    content_type: str
    body: bytes = field(repr=False)


# Names that are new as a rule: a file that is there already is refused before anybody looks into it.
_numbers = st.integers(0, 10**9)
_wheels = _numbers.map(lambda number: replace(WHEEL, filename=f"demo-1.0-{number}-py3-none-any.whl"))
_sdists = _numbers.map(lambda number: sdist("demo", f"1.{number}", requires_python=">=3.9"))

# What a text may be in any field.
_digits = st.sampled_from([1, 5, 5000]).map(lambda count: "9" * count)
_traps = ["", " ", "UNKNOWN", "\0", "1.0\r\nX-Evil: 1", "../../up", "%s%n{0}", "[]", "[[" * 999, "<long>"]
_texts = hostile_texts | st.sampled_from(_traps) | _digits
_names = st.sampled_from([
    ":action", "protocol_version", "name", "version", "filetype", "pyversion", "metadata_version", "summary",
    "description", "requires_python", "requires_dist", "classifiers", "sha256_digest", "md5_digest",
    "blake2_256_digest", "attestations", "gpg_signature", "content", "comment", "license_file", "dynamic",
])  # fmt: skip
_raw = _texts.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=50)

_FILENAMES = [
    "", ".", "..", "../x", "a/b.whl", "a\\b", "x.whl.exe", ".whl", ".tar.gz", "-demo-1.0-py3-none-any.whl", "CON",
    "%2f", " ", "demo-1.0.egg", "demo-1.0.exe", "demo-1.0.msi", "demo-1.0.tar.bz2", "demo-1.0.zip", "x\0.whl",
    "demo-1.0+a.b-py3-none-any.whl", "demo-1!1.0-py3-none-any.whl", "demo-1.0-1-py3-none-any.whl", "Demo-1.0.tar.gz",
    "demo-01.0.tar.gz", f"demo-{'9' * 5000}.tar.gz", f"demo-1.0-{'a' * 300}.whl", "demo-1.0-py3-none-any.whl\u202e",
    f"demo-1.0-{'.'.join('abcdefgh')}-{'.'.join('abcdefgh')}-{'.'.join('abcdefgh')}.whl", "demo-1.0-py3-none-any.whl ",
]  # fmt: skip
filenames = st.sampled_from(_FILENAMES) | hostile_texts.map(lambda text: f"demo-{text}.whl")


def _edited(content: bytes, edits: list[tuple[int, int]]) -> bytes:
    result = bytearray(content)
    for position, value in edits:
        result[position % max(len(result), 1) : position % max(len(result), 1) + 1] = bytes([value])
    return bytes(result)


_edits = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=4)


def _shuffled(content: bytes, cuts: tuple[int, int, int, int]) -> bytes:
    """Return ``content`` with two of its parts in each other's place, as wheels and tars have their records."""
    a, b, c, d = sorted(cut % (len(content) + 1) for cut in cuts)
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


_cuts = st.tuples(*[st.integers(0, 2**16)] * 4)
_damages: st.SearchStrategy[Callable[[bytes], bytes]] = st.one_of(
    _edits.map(lambda edits: lambda content: _edited(content, edits)),
    _cuts.map(lambda cuts: lambda content: _shuffled(content, cuts)),
    st.integers(0, 2**16).map(lambda length: lambda content: content[: length % (len(content) + 1)]),
    st.binary(max_size=40).map(lambda more: lambda content: content + more),
    st.binary(max_size=40).map(lambda more: lambda content: more + content),
)


def _repacked(dist: Dist, damage: Callable[[bytes], bytes]) -> Dist:
    return replace(dist, content=packed(damage(gzip.decompress(dist.content))))


_SHAPES = {**ACCEPTED, **REFUSED}
_shapes = st.builds(
    lambda dist, name: replace(dist, content=wheel_of(_SHAPES[name])), _wheels, st.sampled_from(list(_SHAPES))
)
archives = st.one_of(
    _shapes,
    st.builds(lambda dist, damage: replace(dist, content=damage(dist.content)), _wheels | _sdists, _damages),
    st.builds(_repacked, _sdists, _damages),
    st.builds(lambda dist, content: replace(dist, content=content), _wheels | _sdists, st.binary(max_size=100)),
)


def _content(dist: Dist, filename: str | None = None) -> bytes:
    return part(f'name="content"; filename="{dist.filename if filename is None else filename}"', dist.content)


def _parts(dist: Dist) -> list[bytes]:
    return [*(part(f'name="{name}"', value.encode()) for name, value in fields_of(dist)), _content(dist)]


def _body(parts: list[bytes], boundary: str = BOUNDARY) -> bytes:
    delimiter = b"--" + boundary.encode("utf-8", "surrogatepass")
    body = b"".join(delimiter + b"\r\n" + each + b"\r\n" for each in parts) + delimiter + b"--\r\n"
    return body.replace(b"<long>", b"a" * LONG)


def _sent(parts: list[bytes]) -> Sent:
    return Sent(f"multipart/form-data; boundary={BOUNDARY}", _body(parts))


# A part that is no field as it should be.
_heads = st.sampled_from([
    "", "Content-Disposition: form-data\r\n", 'Content-Disposition: form-data; name=""\r\n',
    'Content-Disposition: attachment; name="name"\r\n',
    'Content-Disposition: form-data; name="name"; name="version"\r\n',
    'Content-Disposition: form-data; name="summary"; filename="summary.txt"\r\n',
    "Content-Disposition: form-data; name*=utf-8''name\r\n", 'Content-Disposition: form-data; name="name\r\n',
    'Content-Disposition: form-data; name="name"\r\nContent-Transfer-Encoding: base64\r\n',
    'Content-Disposition: form-data; name="name"\r\nContent-Type: text/plain; charset=utf-16\r\n',
    'Content-Disposition: form-data; name="name"\r\nContent-Type: multipart/mixed; boundary=inner\r\n',
    'Content-Disposition: form-data; name="content"; filename="a.whl"; filename*=utf-8\'\'b.whl\r\n',
    'Content-Disposition: form-data; name="name"\r\nContent-Length: 99999999999\r\n',
    'Content-Disposition: form-data; name="name"\n', "no colon\r\n", ": no name\r\n", "X: \0\r\n", " folded\r\n",
    "X: 1\r\n" * 20, "X: <long>\r\n", 'Content-Disposition: form-data; name="<long>"\r\n',
])  # fmt: skip
_odd_parts = st.one_of(
    st.builds(lambda head, raw: head.encode() + b"\r\n" + raw, _heads, _raw),
    st.builds(lambda name, raw: part(f'name="{name}"', raw), _names, _raw),
    st.builds(lambda name, raw: part(f'name="{name}"; filename="x"', raw), _names, _raw),
    st.builds(lambda raw: part('name="name"', _body([part('name="inner"', raw)], "inner")), _raw),
)


def _with_parts(dist: Dist, odd: list[bytes], places: list[int], *, is_whole: bool) -> Sent:
    """Return a good form with ``odd`` parts put in; unless it is to stay whole, each in place of one of its own."""
    parts = _parts(dist)
    for each, place in zip(odd, places, strict=False):
        at = place % len(parts)
        parts[at : at + (not is_whole)] = [each]
    return _sent(parts)


_places = st.lists(st.integers(0, 50), min_size=3, max_size=3)
_odd_lists = st.lists(_odd_parts, min_size=1, max_size=3)
forms = st.builds(_with_parts, _wheels, _odd_lists, _places, is_whole=st.booleans())


def _framed(dist: Dist, damage: Callable[[bytes], bytes]) -> Sent:
    sent = _sent(_parts(dist))
    return replace(sent, body=damage(sent.body))


def _bounded(dist: Dist, boundary: str, written: str) -> Sent:
    return Sent(written.format(boundary), _body(_parts(dist), boundary))


_boundaries = st.sampled_from(["", "x", "x" * 71, "x" * 5000, "a b", "a;b", 'a"b', "\u00e9", "--", "Content"])
_types = st.sampled_from([
    "", "multipart/form-data", "multipart/form-data; boundary={0}", 'multipart/form-data; boundary="{0}"',
    "multipart/mixed; boundary={0}", "MULTIPART/FORM-DATA; BOUNDARY={0}",
    "multipart/form-data; boundary=x; boundary={0}", "multipart/form-data; boundary*=utf-8''{0}",
    "multipart/form-data; charset=utf-16; boundary={0}", "text/html; boundary={0}",
])  # fmt: skip
_of_bytes = st.one_of(
    _damages,
    st.just(lambda body: body.replace(b"\r\n", b"\n")),
    st.just(lambda body: body.replace(b"\r\n", b"\r")),
    st.just(lambda body: body.removesuffix(b"--\r\n")),
    st.just(lambda body: body.replace(b"--\r\n", b"--\r\n" + body)),
    st.just(lambda body: b"preamble\r\n" * 7000 + body + b"epilogue"),
    st.just(lambda body: b"\r\n" * 7000 + body),
)
multiparts = st.builds(_framed, _wheels, _of_bytes) | st.builds(_bounded, _wheels, _boundaries, _types)

named = filenames.map(lambda filename: _sent([*_parts(WHEEL)[:-1], _content(WHEEL, filename)]))
files = archives.map(lambda dist: _sent(_parts(dist)))
unreadable = multiparts | named
uploads = unreadable | forms | files
