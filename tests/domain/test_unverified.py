"""Files whose upstream does not say their sha256: by what they are known, and what is said of them."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given

from pypid.domain import simple_html, simple_json
from pypid.domain.digests import Digest
from pypid.domain.files import DistributionFile, other_bytes
from pypid.domain.learned import LearnedDigest, with_learned
from tests.domain.strategies import ANYWHERE, DEMO, URL, a_file, digests, page_of, patient

SHA256, OTHER = "ab" * 32, "cd" * 32
MD5 = Digest("md5", "12" * 16)


def unverified(sha256: str | None = None, *, other_digest: Digest | None = None) -> DistributionFile:
    return replace(a_file(), sha256=sha256, verified=False, other_digest=other_digest)


def learned(file: DistributionFile, sha256: str = SHA256) -> LearnedDigest:
    return LearnedDigest(filename=file.filename, identity=file.identity, sha256=sha256)


def test_identity_is_the_sha256_only_where_upstream_says_it() -> None:
    assert a_file(sha256=SHA256).identity == SHA256
    assert unverified(SHA256).identity == unverified(OTHER).identity == unverified().identity != SHA256
    assert unverified(other_digest=MD5).identity != unverified().identity
    assert replace(unverified(), filename="demo-2.0.tar.gz").identity != unverified().identity
    assert replace(unverified(), upstream="https://other.test/").identity != unverified().identity
    assert len(unverified().identity) == 64


def test_a41_what_was_learned_is_told_of_that_very_file_alone() -> None:
    file = unverified()
    (told,) = with_learned(page_of(file), [learned(file)]).files
    assert (told.sha256, told.verified, told.identity) == (SHA256, False, file.identity)
    for other in (unverified(other_digest=MD5), a_file(sha256=OTHER), replace(file, filename="demo-2.0.tar.gz")):
        assert with_learned(page_of(other), [learned(file)]).files == (other,)


@patient
@given(digests, digests)
def test_pages_that_differ_have_different_revisions(first: str, second: str) -> None:
    """And those that do not, the same: what is rendered is kept by the revision."""
    file = unverified()
    before = page_of(file)
    one, two = (with_learned(before, [learned(file, sha256)]) for sha256 in (first, second))
    assert (one.revision == two.revision) == (one.files == two.files)
    assert one.revision != before.revision
    assert with_learned(before, []) is before


def test_digests_that_contradict_each_other_are_other_bytes() -> None:
    name = (a_file().filename,)
    second = Digest("md5", "34" * 16)
    for before, after, expected in (
        (unverified(SHA256), unverified(OTHER), name),
        (unverified(SHA256), a_file(sha256=OTHER), name),
        (unverified(SHA256), a_file(sha256=SHA256), ()),
        (unverified(), a_file(sha256=SHA256), ()),
        (a_file(sha256=SHA256), unverified(), ()),
        (unverified(other_digest=MD5), unverified(other_digest=second), name),
        (unverified(other_digest=MD5), unverified(other_digest=Digest("sha1", "12" * 20)), ()),
        (unverified(other_digest=MD5), unverified(), ()),
    ):
        assert other_bytes(page_of(before), page_of(after)) == expected, (before, after)


def test_page_says_what_is_known_and_that_upstream_does_not() -> None:
    for sha256, hashes in ((None, {}), (SHA256, {"sha256": SHA256})):
        page = page_of(unverified(sha256, other_digest=MD5))
        (entry,) = json.loads(simple_json.render_project(page))["files"]
        assert (entry["hashes"], entry["_pypid-unverified"]) == (hashes, True)
        assert (b"#sha256=" in simple_html.render_project(page)) == bool(hashes)
    (entry,) = json.loads(simple_json.render_project(page_of(a_file())))["files"]
    assert "_pypid-unverified" not in entry


def test_another_pypid_hands_the_mark_on() -> None:
    body = simple_json.render_project(page_of(unverified(SHA256)))
    (file,) = simple_json.parse_project(body, url=URL, project=DEMO, allowed=ANYWHERE).files
    assert (file.sha256, file.verified) == (SHA256, False)
