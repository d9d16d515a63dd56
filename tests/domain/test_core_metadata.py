"""What a mirrored page says of core metadata."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.core_metadata import FoundMetadata, with_core_metadata, with_found
from pypid.domain.files import ProjectPage
from tests.domain.strategies import a_file, digests, page_of, pages, patient

WHEEL = "demo-1.0-py3-none-any.whl"
TRUE, WRONG, OTHER = "aa" * 32, "bb" * 32, "cc" * 32


def a_page(claim: str | None, filename: str = WHEEL) -> ProjectPage:
    return page_of(replace(a_file(filename), core_metadata=claim), a_file("demo-0.9.tar.gz"))


def found(core_metadata: str | None = TRUE, *, claim: str | None = None, filename: str = WHEEL) -> FoundMetadata:
    identity = a_file().identity
    return FoundMetadata(
        filename=filename, identity=identity, claim=claim, core_metadata=core_metadata, verified=core_metadata is None
    )


def told(page: ProjectPage, *recorded: FoundMetadata) -> str | None:
    return with_core_metadata(page, recorded).files[0].core_metadata


class CoreMetadataTests(SynchronousTestCase):
    def test_wheel_has_some_and_sdist_has_none(self) -> None:
        self.assertEqual(told(a_page(None)), "")
        self.assertIsNone(told(a_page(None, "demo-1.0.tar.gz")))

    def test_claim_stands_until_something_else_was_found(self) -> None:
        self.assertEqual(told(a_page(WRONG)), WRONG)
        self.assertEqual(told(a_page(WRONG), found(claim=WRONG)), TRUE)
        self.assertIsNone(told(a_page(WRONG), found(None, claim=WRONG)))

    def test_new_claim_is_believed_again(self) -> None:
        for claim in (None, WRONG):
            self.assertEqual(told(a_page(OTHER), found(claim=claim)), OTHER)

    def test_what_was_found_stays_when_the_claim_goes(self) -> None:
        self.assertEqual(told(a_page(None), found(claim=WRONG)), TRUE)

    def test_other_bytes_and_other_names_are_other_files(self) -> None:
        self.assertEqual(told(a_page(None), replace(found(), identity="ef" * 32)), "")
        self.assertEqual(told(a_page(None), found(filename="demo-1.0-py2-none-any.whl")), "")

    @patient
    @given(pages, st.data())
    def test_pages_that_differ_have_different_revisions(self, page: ProjectPage, data: st.DataObject) -> None:
        """And those that do not, the same: what is rendered is kept by the revision."""
        recorded = [
            FoundMetadata(
                filename=file.filename,
                identity=file.identity,
                claim=file.core_metadata,
                core_metadata=data.draw(st.none() | digests),
                verified=True,
            )
            for file in page.files
            if data.draw(st.booleans())
        ]
        known = with_core_metadata(page, recorded)
        self.assertEqual(with_core_metadata(page, recorded), known)
        for each in recorded:
            for other in (page, known):
                changed = with_found(other, replace(each, core_metadata="12" * 32))
                self.assertEqual(changed.revision == other.revision, changed.files == other.files)
        self.assertEqual(replace(known, files=page.files, revision=page.revision), page, "nothing else changes")

    def test_same_change_of_two_revisions_makes_two(self) -> None:
        page = a_page(None)
        changed = {with_found(replace(page, revision=revision), found()).revision for revision in ("1", "2")}
        self.assertEqual(len(changed), 2)

    def test_found_holds_whatever_the_page_said(self) -> None:
        for claim in ("", WRONG, OTHER):
            page = with_found(a_page(claim), found())
            self.assertEqual([file.core_metadata for file in page.files], [TRUE, None])
