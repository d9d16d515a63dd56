"""Project lists, and their union."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.names import normalize_name
from pypid.domain.project_list import listed, united

names = st.sets(st.from_regex(r"[a-z0-9]{1,3}(-[a-z0-9]{1,3})?", fullmatch=True).map(normalize_name), max_size=8)


class ProjectListTests(SynchronousTestCase):
    @given(st.lists(names, max_size=4))
    def test_union_has_each_name_once_in_order(self, sets: list[set[str]]) -> None:
        whole = united([listed(sorted(normalize_name(name) for name in some)) for some in sets])
        self.assertEqual(list(whole), sorted(set().union(*sets)))
        self.assertEqual(list(whole), list(whole), "it can be gone through again")

    @given(names, names)
    def test_revision_tells_whether_the_names_are_the_same(self, some: set[str], others: set[str]) -> None:
        first, second = (listed(sorted(normalize_name(name) for name in each)) for each in (some, others))
        self.assertEqual(first.revision == second.revision, some == others)
        self.assertEqual(united([first, second]).revision == united([first, first]).revision, some == others)
