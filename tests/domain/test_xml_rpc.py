"""Calls from strangers, and answers that every XML parser takes."""

import xmlrpc.client
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.xml_rpc import MAX_DEPTH, NOT_UNDERSTOOD, Call, Fault, read_call, render_answer, render_fault
from tests.domain.strategies import hostile_texts, patient

VALUES = st.recursive(
    st.booleans() | st.integers(-(2**31), 2**31 - 1) | hostile_texts.filter(lambda text: text.isprintable()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc<&", max_size=3), inner, max_size=3),
    max_leaves=6,
)

TAGS = (
    *("methodCall", "methodName", "params", "param", "value", "struct", "member", "name", "array", "data", "int"),
    *("boolean", "base64", "dateTime.iso8601", "bigdecimal", "nil", "fault"),
)


class CallTests(SynchronousTestCase):
    def refused(self, body: bytes) -> str:
        with self.assertRaises(Fault) as raised:
            read_call(body)
        fault: Fault = raised.exception
        self.assertEqual(fault.code, NOT_UNDERSTOOD)
        return fault.message

    def test_what_pip_sends(self) -> None:
        body = xmlrpc.client.dumps(({"name": ["ünï"], "summary": ["<&>"]}, "or"), "search").encode()
        self.assertEqual(read_call(body), Call("search", ({"name": ["ünï"], "summary": ["<&>"]}, "or")))

    @patient
    @given(st.lists(VALUES, max_size=3).map(tuple))
    def test_any_values(self, values: tuple[Any, ...]) -> None:
        self.assertEqual(read_call(xmlrpc.client.dumps(values, "any").encode()).parameters, values)

    def test_document_type_is_refused_before_it_is_read(self) -> None:
        laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
        for dtd in (
            f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>',
            '<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE x SYSTEM "http://host.test/x.dtd">',
            "<!DOCTYPE x>",
        ):
            call = f"{dtd}<methodCall><methodName>&l9;</methodName><params/></methodCall>"
            self.assertIn("document type", self.refused(f"<?xml version='1.0'?>{call}".encode()))

    def test_depth(self) -> None:
        def nested(lists: int) -> bytes:
            value = "<value><array><data>" * lists + "</data></array></value>" * lists
            call = f"<methodCall><methodName>x</methodName><params><param>{value}</param></params></methodCall>"
            return call.encode()

        most = (MAX_DEPTH - 3) // 3
        read_call(nested(most))
        self.assertIn("inside one another", self.refused(nested(most + 1)))
        self.refused(nested(10_000))

    def test_no_call_at_all(self) -> None:
        for body in (
            b"",
            b"{}",
            b"<html><body>",
            b"<a/>",
            b"<?xml version='1.0' encoding='nonsense'?><methodCall/>",
            b"<methodCall><params/></methodCall>",
            b"<methodCall><methodName>x</methodName></methodCall><more/>",
            b"<methodCall><methodName>x</methodName><params><param><value><int>x</int></value></param></params></methodCall>",
            xmlrpc.client.dumps(xmlrpc.client.Fault(1, "x")).encode(),
            xmlrpc.client.dumps((1,), methodresponse=True).encode(),
        ):
            self.refused(body)

    @patient
    @given(
        st.lists(
            st.sampled_from([*(f"<{slash}{tag}>" for tag in TAGS for slash in ("", "/")), "x", "1", "\u00ff"]),
            max_size=15,
        )
    )
    def test_any_elements_are_a_call_or_a_fault(self, parts: list[str]) -> None:
        opened: list[str] = []
        body: list[str] = []
        for part in parts:
            if part.startswith("</"):
                if opened:
                    body.append(f"</{opened.pop()}>")
                continue
            body.append(part)
            if part.startswith("<"):
                opened.append(part[1:-1])
        body += [f"</{tag}>" for tag in reversed(opened)]
        try:
            read_call(f"<methodCall>{''.join(body)}</methodCall>".encode())
        except Fault as e:
            self.assertEqual(e.code, NOT_UNDERSTOOD)


class AnswerTests(SynchronousTestCase):
    def test_round_trip(self) -> None:
        hits = [{"name": "demo", "summary": "<&>\"'ü\U0001f4a9]]>", "version": "1.0", "_pypi_ordering": False}]
        self.assertEqual(xmlrpc.client.loads(render_answer(hits)), ((hits,), None))

    @patient
    @given(st.text())
    def test_any_text_is_answered_with_so_that_a_parser_takes_it(self, text: str) -> None:
        said: Any = xmlrpc.client.loads(render_answer(text))[0][0]
        lines = text.replace("\r\n", "\n").replace("\r", "\n")  # XML knows one line end
        self.assertEqual(len(said), len(lines))
        self.assertTrue(all(new in {old, "?"} for new, old in zip(said, lines, strict=True)))
        self.assertTrue(all(new == old for new, old in zip(said, lines, strict=True) if old.isprintable()))

    def test_what_xml_cannot_say_is_a_question_mark(self) -> None:
        self.assertEqual(xmlrpc.client.loads(render_answer("a\x00\x1b\ud800\uffffb")), (("a????b",), None))

    def test_fault(self) -> None:
        with self.assertRaises(xmlrpc.client.Fault) as raised:
            xmlrpc.client.loads(render_fault(Fault(-1, "so\x00 <sad>")))
        self.assertEqual((raised.exception.faultCode, raised.exception.faultString), (-1, "so? <sad>"))
