"""Attestations: about the very file that they came with, or none (B67)."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode, encodebytes
from copy import deepcopy
from typing import Any

import pypi_attestations
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.attestations import MAX_ATTESTATIONS, PREDICATES, Attestation, InvalidAttestations, read_attestations
from tests.kit.dists import sdist, wheel
from tests.kit.sigstore import PUBLISH, SLSA, Sigstore, statement

DEMO = wheel("demo")
SIGNERS = Sigstore()
GOOD = SIGNERS.attest(DEMO)
SUBJECT = {"name": DEMO.filename, "digest": {"sha256": DEMO.sha256}}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([PUBLISH, SUBJECT]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def read(*attestations: Any) -> tuple[Attestation, ...]:
    return read_attestations(json.dumps(attestations), DEMO.filename, DEMO.sha256)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where there is anything in ``value``."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, each in inside for deeper in paths(each, (*path, key)))]


def with_other(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    changed = deepcopy(value)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = other
    return changed


class ReadTests(SynchronousTestCase):
    def refused(self, *attestations: Any) -> str:
        return str(self.assertRaises(InvalidAttestations, read, *attestations))

    def said(self, *subjects: Any, **changes: Any) -> Any:
        return SIGNERS.sign({**statement(*subjects), **changes})

    def test_of_this_file(self) -> None:
        (found,) = read(GOOD)
        self.assertEqual(json.loads(found.json), GOOD)
        self.assertEqual(found.certificate, b64decode(GOOD["verification_material"]["certificate"]))
        self.assertEqual(json.loads(found.statement)["subject"], [SUBJECT])
        self.assertEqual([each.predicate for each in read(GOOD, SIGNERS.attest(DEMO, SLSA))], [PUBLISH, SLSA])

    def test_text_is_kept_as_it_is(self) -> None:
        """With what PEP 740 does not know: signers may add to it."""
        text = json.dumps({"new": [1, {}], **GOOD}, indent=3)
        (found,) = read_attestations(f" [ {text} ]\n", DEMO.filename, DEMO.sha256)
        self.assertEqual(found.json.strip().decode(), text)

    def test_base64_in_lines(self) -> None:
        """As pydantic before 2.10 wrote it, and with it pypi-attestations."""
        lined = deepcopy(GOOD)
        envelope = lined["envelope"]
        envelope["statement"] = encodebytes(b64decode(envelope["statement"])).decode()
        self.assertEqual(read(lined)[0].statement, read(GOOD)[0].statement)

    def test_of_another_file(self) -> None:
        for other in (wheel("other"), wheel("demo", "2.0"), sdist("demo")):
            self.assertIn(
                f"it is about {other.filename!r}, not about {DEMO.filename}", self.refused(SIGNERS.attest(other))
            )
        self.assertIn("another sha256", self.refused(SIGNERS.attest(wheel("demo", summary="Other"))))
        self.assertIn("another sha256", self.refused(self.said({**SUBJECT, "digest": {"sha512": "0" * 128}})))
        self.assertIn("2 subjects", self.refused(self.said(SUBJECT, SUBJECT)))
        self.assertIn("0 subjects", self.refused(self.said()))

    def test_name_in_another_spelling(self) -> None:
        self.assertEqual(len(read(self.said({**SUBJECT, "name": "Demo-1.0.0-py3-none-any.whl"}))), 1)

    def test_what_may_be_said(self) -> None:
        for predicate in PREDICATES:
            read(SIGNERS.attest(DEMO, predicate))
        self.assertIn("predicate type", self.refused(SIGNERS.attest(DEMO, "https://example.test/new/v1")))
        self.assertIn("is of type", self.refused(self.said(SUBJECT, _type="https://in-toto.io/Statement/v0.1")))

    def test_how_many(self) -> None:
        self.assertIn("empty", self.refused())
        self.assertIn("several", self.refused(GOOD, GOOD))
        self.assertIn("several", self.refused(GOOD, SIGNERS.attest(DEMO, SLSA), SIGNERS.attest(DEMO)))

    def test_length(self) -> None:
        text = json.dumps([{**GOOD, "more": ""}])
        longest = text.replace('"more": "', f'"more": "{"x" * (MAX_ATTESTATIONS - len(text))}')
        self.assertEqual(len(longest), MAX_ATTESTATIONS)
        read_attestations(longest, DEMO.filename, DEMO.sha256)
        with self.assertRaises(InvalidAttestations):
            read_attestations(f"{longest} ", DEMO.filename, DEMO.sha256)

    def test_what_is_none(self) -> None:
        deep = f"[{'[' * 100_000}{']' * 100_000}]"
        for text in (
            "",
            "null",
            "{}",
            '"[]"',
            "[null]",
            "[[]]",
            "[{}]",
            "[{}",
            "[\ud800]",
            "[NaN]",
            deep,
            json.dumps(GOOD),
        ):
            with self.assertRaises(InvalidAttestations, msg=text[:20]):
                read_attestations(text, DEMO.filename, DEMO.sha256)

    def test_signature_of_no_log(self) -> None:
        self.assertIn(
            "no transparency log entry",
            self.refused(with_other(GOOD, ("verification_material", "transparency_entries"), [])),
        )

    def test_what_is_no_base64(self) -> None:
        for path in (("envelope", "statement"), ("envelope", "signature"), ("verification_material", "certificate")):
            for text in ("%", "AAA", "AA AA", "A=AA", "\xe9"):
                self.assertIn(f"{path[-1]}: this is not base64", self.refused(with_other(GOOD, path, text)))

    @given(st.data())
    def test_any_other_value_anywhere(self, data: st.DataObject) -> None:
        """What is read is either refused or one that clients read too, and about this file."""
        path = data.draw(st.sampled_from(paths(GOOD)))
        self.check(with_other(GOOD, path, data.draw(JSON)))

    @given(st.data())
    def test_any_other_statement(self, data: st.DataObject) -> None:
        said = json.loads(b64decode(GOOD["envelope"]["statement"]))
        path = data.draw(st.sampled_from(paths(said)))
        other = b64encode(json.dumps(with_other(said, path, data.draw(JSON))).encode()).decode()
        self.check(with_other(GOOD, ("envelope", "statement"), other))

    def check(self, changed: Any) -> None:
        try:
            (found,) = read(changed)
        except InvalidAttestations:
            return
        theirs = pypi_attestations.Attestation.model_validate_json(found.json)
        self.assertEqual(theirs.envelope.statement, found.statement)
        self.assertEqual(theirs.statement["subject"][0]["digest"]["sha256"], DEMO.sha256)
        self.assertEqual(theirs.statement["subject"][0]["name"], DEMO.filename)
