"""What a search finds, and in which order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.names import NormalizedName
from pypid.domain.search import MAX_HITS, Hit, Query
from tests.domain.strategies import hostile_texts, patient


def a_hit(name: str, summary: str = "") -> Hit:
    return Hit(NormalizedName(name), "1.0", summary)


def found(query: Query, *hits: Hit) -> list[str]:
    return [hit.project for hit in query.best(hits)]


class SearchTests(SynchronousTestCase):
    def test_part_of_the_name_in_any_spelling(self) -> None:
        for term in ("demo-pkg", "Demo_Pkg", "EMO.P", "demo"):
            self.assertEqual(found(Query(names=[term]), a_hit("my-demo-pkg"), a_hit("other")), ["my-demo-pkg"], term)

    def test_part_of_the_summary_in_any_case_of_any_alphabet(self) -> None:
        hits = a_hit("one", "ÜBER straße"), a_hit("two", "100% of a_b")
        for term, expected in (("über", ["one"]), ("STRASSE", ["one"]), ("%", ["two"]), ("a_b", ["two"]), ("a%b", [])):
            self.assertEqual(found(Query(summaries=[term]), *hits), expected, term)

    def test_either_or_both(self) -> None:
        hits = a_hit("demo", "x"), a_hit("other", "a demo"), a_hit("demo-2", "a demo"), a_hit("none")
        words: Any = {"names": ["demo"], "summaries": ["demo"]}
        self.assertEqual(found(Query(**words), *hits), ["demo", "demo-2", "other"])
        self.assertEqual(found(Query(**words, both=True), *hits), ["demo-2"])
        self.assertEqual(found(Query(names=["demo"], both=True), *hits), ["demo", "demo-2"])
        self.assertEqual(found(Query(summaries=["demo"], both=True), *hits), ["demo-2", "other"])

    def test_of_several_words_one_is_enough(self) -> None:
        hits = a_hit("one", "uno"), a_hit("two", "due"), a_hit("three", "tre")
        self.assertEqual(found(Query(names=["one", "two"]), *hits), ["one", "two"])
        self.assertEqual(found(Query(names=["e"], summaries=["tre", "uno"], both=True), *hits), ["one", "three"])

    def test_exact_name_then_prefix_then_part_then_summary(self) -> None:
        hits = [a_hit("zz", "demo"), a_hit("a-demo"), a_hit("demo-b"), a_hit("demo-a"), a_hit("demo")]
        expected = ["demo", "demo-a", "demo-b", "a-demo", "zz"]
        self.assertEqual(found(Query(names=["demo"], summaries=["demo"]), *hits), expected)

    def test_nothing_is_looked_for(self) -> None:
        self.assertEqual(found(Query(), a_hit("demo")), [])

    def test_empty_word_is_in_everything(self) -> None:
        self.assertEqual(found(Query(names=[""]), a_hit("demo")), ["demo"])

    def test_no_more_than_people_read(self) -> None:
        hits = [a_hit(f"demo-{number}") for number in range(500)]
        answer = found(Query(names=["demo"]), *hits, a_hit("demo"))
        self.assertEqual((answer[0], len(answer), MAX_HITS), ("demo", 100, 100))

    @patient
    @given(hostile_texts, hostile_texts)
    def test_any_summary_is_found_by_any_part_of_it(self, before: str, after: str) -> None:
        self.assertEqual(found(Query(summaries=[after]), a_hit("demo", before + after)), ["demo"])

    @patient
    @given(st.lists(hostile_texts, max_size=3), st.lists(hostile_texts, max_size=3))
    def test_both_finds_no_more_than_either(self, names: list[str], summaries: list[str]) -> None:
        hit = a_hit("demo-pkg", "a test distribution")
        if Query(names=names, summaries=summaries, both=True).fits(hit):
            self.assertTrue(Query(names=names, summaries=summaries).fits(hit))
