"""The form that asks for the deletion of a release."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.errors import UploadRefused
from pypid.domain.removals import read_removal

TEXTS = st.text(alphabet="aZ.-_1 \n\u0130", max_size=6)


class ReadRemovalTests(SynchronousTestCase):
    def test_any_spelling_names_the_release(self) -> None:
        subject = read_removal({"name": ("My_Pkg",), "version": ("v1.0.0",), ":action": ("remove_pkg",)})
        self.assertEqual((subject.project, subject.version, subject.filename), ("my-pkg", Version("1"), None))

    def test_every_problem_is_told(self) -> None:
        for form, problems in (
            ({}, ["name: missing.", "version: missing."]),
            ({"name": ("a", "b"), "version": ("",)}, ["name: given 2 times.", "version: missing."]),
            ({"name": ("..",), "version": ("x",)}, ["name: not a project name: '..'.", "version: 'x' is no version."]),
            ({"name": ("a",), "version": ("9" * 5000,)}, [f"version: {'9' * 100!r}... is no version."]),
        ):
            error = self.assertRaises(UploadRefused, read_removal, form)
            self.assertEqual(list(error.problems), problems)

    @given(st.dictionaries(st.sampled_from(["name", "version"]), st.lists(TEXTS, max_size=2).map(tuple)))
    def test_one_release_is_meant_or_none(self, form: dict[str, tuple[str, ...]]) -> None:
        """A form never means a project as a whole."""
        try:
            subject = read_removal(form)
        except UploadRefused as e:
            self.assertNotEqual(e.problems, ())
        else:
            self.assertIsNotNone(subject.version)
            self.assertTrue(subject.project)
