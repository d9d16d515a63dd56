"""Upload times that stay what clients were told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.files import DistributionFile, ProjectPage, TimeSource
from pypid.domain.upload_times import ToldTime, with_told_times
from tests.domain.strategies import a_file, page_of, pages, patient

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
SHA256 = "ab" * 32


def timeless(filename: str = "demo-1.0.tar.gz", sha256: str = SHA256) -> DistributionFile:
    return replace(a_file(filename, sha256), upload_time=None)


def first_seen(file: DistributionFile, time: datetime = NOW) -> ToldTime:
    return ToldTime(filename=file.filename, identity=file.identity, upload_time=time, source=TimeSource.FIRST_SEEN)


def times(page: ProjectPage) -> list[tuple[datetime | None, TimeSource]]:
    return [(file.upload_time, file.upload_time_source) for file in page.files]


class ToldTimesTests(SynchronousTestCase):
    def test_upstreams_times_are_handed_on(self) -> None:
        """PyPI's pages cost no row, and are the object that they were."""
        page = page_of(a_file(), a_file("demo-2.0.tar.gz"))
        for held in (None, page):
            told, new = with_told_times(page, recorded=(), held=held, now=NOW)
            self.assertIs(told, page)
            self.assertEqual(new, ())

    def test_file_without_a_time_is_as_old_as_our_knowledge_of_it(self) -> None:
        page, new = with_told_times(page_of(timeless(), a_file("demo-2.0.tar.gz")), recorded=(), held=None, now=NOW)
        self.assertEqual(times(page), [(NOW, TimeSource.FIRST_SEEN), (a_file().upload_time, TimeSource.UPSTREAM)])
        self.assertEqual(new, (first_seen(timeless()),))

    def test_recorded_time_stays(self) -> None:
        """Whatever upstream says of it later, or nothing."""
        for file in (timeless(), a_file()):
            page, new = with_told_times(page_of(file), recorded=[first_seen(file)], held=page_of(a_file()), now=LATER)
            self.assertEqual(times(page), [(NOW, TimeSource.FIRST_SEEN)])
            self.assertEqual(new, ())

    def test_time_that_is_shown_stays(self) -> None:
        """Upstream, or what is in front of it, answers in JSON today and in HTML tomorrow."""
        shown = replace(a_file(), upload_time=NOW)
        for file in (timeless(), a_file()):
            page, new = with_told_times(page_of(file), recorded=(), held=page_of(shown), now=LATER)
            self.assertEqual(times(page), [(NOW, TimeSource.UPSTREAM)])
            self.assertEqual(new, (replace(first_seen(file), source=TimeSource.UPSTREAM),))

    def test_time_that_could_not_be_recorded_is_recorded_later(self) -> None:
        shown, new = with_told_times(page_of(timeless()), recorded=(), held=None, now=NOW)
        again, still_new = with_told_times(page_of(timeless()), recorded=(), held=shown, now=LATER)
        self.assertEqual((again, still_new), (shown, new))

    def test_other_bytes_are_another_file(self) -> None:
        other = timeless(sha256="cd" * 32)
        page, new = with_told_times(
            page_of(other), recorded=[first_seen(timeless())], held=page_of(a_file()), now=LATER
        )
        self.assertEqual(times(page), [(LATER, TimeSource.FIRST_SEEN)])
        self.assertEqual(new, (first_seen(other, LATER),))

    def test_revision(self) -> None:
        """What is rendered is known by the times too, and only by what is in it."""
        upstream = page_of(timeless())
        one, new = with_told_times(upstream, recorded=(), held=None, now=NOW)
        two, _ = with_told_times(upstream, recorded=(), held=None, now=LATER)
        again, _ = with_told_times(upstream, recorded=new, held=None, now=LATER)
        self.assertEqual(len({upstream.revision, one.revision, two.revision}), 3)
        self.assertEqual(again, one)

    @patient
    @given(pages, st.none() | pages, pages)
    def test_no_file_without_a_time_and_none_that_moves(
        self, page: ProjectPage, held: ProjectPage | None, later: ProjectPage
    ) -> None:
        told, new = with_told_times(page, recorded=(), held=held, now=NOW)
        self.assertNotIn(None, [file.upload_time for file in told.files])
        after_restart, nothing = with_told_times(page, recorded=new, held=None, now=LATER)
        self.assertEqual((after_restart, nothing), (told, ()))
        refreshed, _ = with_told_times(later, recorded=new, held=told, now=LATER)
        before = {(file.filename, file.sha256): file.upload_time for file in told.files}
        for file in refreshed.files:
            self.assertEqual(file.upload_time, before.get((file.filename, file.sha256), file.upload_time))
