"""XML-RPC: what the search finds by which URL, what has changed, and what anything else is answered."""

from __future__ import annotations

import json
import xmlrpc.client
from functools import cached_property
from typing import Any

from pypid.web.xmlrpc import MAX_CALL, MAX_TERMS
from tests.indexes.stores import Disk
from tests.kit.dists import sdist, wheel
from tests.web.world import ALICE, Answer, WebTestCase

XML = {"Content-Type": "text/xml"}


class XmlRpcTestCase(WebTestCase):
    @cached_property
    def renderer(self) -> Disk:
        return Disk()

    def post(self, body: bytes, target: str = "/pypi") -> Answer:
        answer = self.ask("POST", target, XML, body)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/xml; charset=utf-8"), answer.text)
        return answer

    def call(self, method: str, *parameters: Any, target: str = "/pypi") -> Any:
        answer = self.post(xmlrpc.client.dumps(parameters, method).encode(), target)
        ((value,), _) = xmlrpc.client.loads(answer.body)
        return value

    def names(self, term: str, target: str = "/pypi") -> list[str]:
        return [hit["name"] for hit in self.call("search", {"name": [term], "summary": [term]}, "or", target=target)]

    def fault(self, method: str, *parameters: Any) -> str:
        with self.assertRaises(xmlrpc.client.Fault) as raised:
            self.call(method, *parameters)
        fault: xmlrpc.client.Fault = raised.exception
        return fault.faultString


class SearchTests(XmlRpcTestCase):
    def test_what_pip_asks(self) -> None:
        self.publish(wheel("demo-pkg", "1.0", summary="Old"))
        self.publish(wheel("demo-pkg", "2.0", summary="<Ünï> & more"))
        hits = self.call("search", {"name": ["DEMO"], "summary": ["DEMO"]}, "or")
        expected = {"name": "demo-pkg", "version": "2.0", "summary": "<Ünï> & more", "_pypi_ordering": False}
        self.assertEqual(hits, [expected])
        self.assertEqual(self.names("ÜNÏ"), ["demo-pkg"])
        self.assertEqual(self.names("absent"), [])

    def test_and_is_taken_for_granted_and_one_word_needs_no_list(self) -> None:
        self.publish(wheel("demo", summary="A tool"))
        self.publish(wheel("demo-2", summary="Else"))
        both = {"name": "demo", "summary": "tool"}
        self.assertEqual([hit["name"] for hit in self.call("search", both)], ["demo"])
        self.assertEqual(len(self.call("search", both, "or")), 2)

    def test_source_distribution_without_a_summary_has_that_of_the_form(self) -> None:
        for dist, expected in ((sdist("demo", summary=""), "What it is"), (sdist("other", summary="Own"), "Own")):
            self.assertEqual(self.upload(dist, summary=" What\n it is ").status, 200)
            (hit,) = self.call("search", {"name": dist.project})
            self.assertEqual(hit["summary"], expected)

    def test_every_url(self) -> None:
        self.publish(wheel("ours"), "/main/")
        self.publish(wheel("own"), "/own/")
        self.publish(wheel("two"), "/root/dev/")
        self.index.add(wheel("cached"))
        self.get("/simple/cached/")
        for target in ("/pypi", "/pypi/", "/", "/main/", "/main/pypi", "/main/pypi/", "/simple/"):
            self.assertEqual(self.names("", target), ["cached", "ours"], target)
        for target in ("/own", "/own/pypi", "/own/pypi/"):
            self.assertEqual(self.names("", target), ["own"], target)
        self.assertEqual(self.names("", "/root/dev/pypi"), ["two"])
        for target in ("/root/pypi", "/root/pypi/", "/root/pypi/pypi"):
            self.assertEqual(self.names("", target), ["cached"], target)
        self.assertEqual(self.ask("POST", "/absent/pypi", XML, b"<x/>").status, 404)

    def test_upstream_is_never_asked(self) -> None:
        self.index.add(wheel("demo"))
        self.assertEqual((self.names("demo"), self.index.requests), ([], []))

    def test_upload_by_the_same_url(self) -> None:
        for target in ("/pypi/", "/own/pypi/", "/root/dev/pypi/"):
            self.publish(wheel("demo"), target)
            self.assertEqual(self.names("demo", target), ["demo"])
        self.assertEqual(self.ask("POST", "/pypi", {**ALICE, "Content-Type": "text/plain"}, b"x").status, 400)

    def test_summary_that_no_xml_can_hold_spoils_no_answer(self) -> None:
        self.publish(wheel("demo", summary="a\x01b\x1b[31mc"))
        ((hit,),) = (self.call("search", {"name": "demo"}),)
        self.assertEqual(hit["summary"], "a?b?[31mc")


class ChangesTests(XmlRpcTestCase):
    """What bandersnatch asks, to have only what has changed since it was here."""

    def test_each_upload_has_the_next_serial(self) -> None:
        """That of its project is also in the legacy JSON, in the body and in a header."""
        self.assertEqual(self.call("list_packages_with_serial"), {})
        for name, version in (("one", "1.0"), ("two", "1.0"), ("one", "2.0")):
            self.publish(wheel(name, version))
        self.assertEqual(self.upload(wheel("one", "2.0")).status, 200, "and changes nothing")
        self.publish(wheel("elsewhere"), "/own/")
        self.assertEqual(self.call("list_packages_with_serial"), {"one": 3, "two": 2})
        self.assertEqual(self.call("list_packages_with_serial", target="/own/pypi"), {"elsewhere": 4})
        answer = self.get("/pypi/one/json")
        self.assertEqual((json.loads(answer.body)["last_serial"], answer.headers["X-PyPI-Last-Serial"]), (3, "3"))

    def test_changes_since_a_serial(self) -> None:
        for name, version in (("one", "1.0"), ("two", "1.0"), ("one", "2.0")):
            self.publish(wheel(name, version))
        for since, expected in ((0, [("two", 2), ("one", 3)]), (2, [("one", 3)]), (3, [])):
            changes = self.call("changelog_since_serial", since)
            self.assertEqual([(name, serial) for name, _, _, _, serial in changes], expected)
        for parameters in ((), ("1",), (1, 2)):
            self.assertIn("takes a serial", self.fault("changelog_since_serial", *parameters))

    def test_a_change_has_the_time_of_the_projects_last_upload(self) -> None:
        for version in ("1.0", "2.0"):
            self.clock.advance(100.5)
            self.publish(wheel("demo", version))
        now = int(self.clock.seconds())
        self.assertEqual(self.call("changelog_since_serial", 0), [["demo", None, now, "change", 2]])

    def test_a_serial_that_no_database_can_hold(self) -> None:
        self.publish(wheel("demo"))
        body = b"<methodCall><methodName>changelog_since_serial</methodName><params><param><value><int>%d</int></value>"
        answer = self.post(body % 10**30 + b"</param></params></methodCall>")
        self.assertEqual(xmlrpc.client.loads(answer.body)[0], ([],))

    def test_long_answers_hold_up_nobody(self) -> None:
        """They are written elsewhere than on the reactor's thread."""
        self.publish(wheel("demo"))
        self.renderer.held = "render_answer"
        asking = self.connect()
        asking.ask("POST", "/pypi", XML, xmlrpc.client.dumps((), "list_packages_with_serial").encode())
        self.assertEqual(asking.received, b"")
        self.renderer.release()
        self.assertEqual(xmlrpc.client.loads(asking.answer().body)[0], ({"demo": 1},))

    def test_what_is_mirrored_has_no_serial(self) -> None:
        self.index.add(wheel("cached"))
        answer = self.get("/pypi/cached/json")
        self.assertEqual(json.loads(answer.body)["last_serial"], -1)
        self.assertNotIn("X-PyPI-Last-Serial", answer.headers)
        self.assertEqual(self.call("changelog_since_serial", 0), [])


class RefusedTests(XmlRpcTestCase):
    def test_other_methods(self) -> None:
        for method in ("package_releases", "system.multicall", "\u202e", "x" * 1000):
            self.assertIn("there are: search", self.fault(method, "demo"))
        self.assertIn("search", self.call("system.listMethods"))

    def test_parameters_that_are_none(self) -> None:
        for parameters in (
            (),
            ("demo",),
            ({"name": "a"}, "xor"),
            ({"name": "a"}, ["or"]),
            ({"name": "a"}, "or", 1),
            ({"name": 1},),
            ({"name": [["a"]]},),
            ({"description": "a"},),
            ({"name": ["a"] * (MAX_TERMS + 1)},),
        ):
            self.assertIn("search", self.fault("search", *parameters), parameters)

    def test_what_is_no_call(self) -> None:
        for body in (b"<", b"{}", b"<!DOCTYPE x><methodCall/>"):
            self.assertRaises(xmlrpc.client.Fault, xmlrpc.client.loads, self.post(body).body)
        self.assertRaises(xmlrpc.client.Fault, xmlrpc.client.loads, self.post(b"").body)

    def test_body_is_bounded_with_and_without_a_length(self) -> None:
        self.assertEqual(self.ask("POST", "/pypi", XML, b" " * (MAX_CALL + 1)).status, 413)
        chunk = b"%x\r\n%s\r\n" % (MAX_CALL + 1, b" " * (MAX_CALL + 1))
        chunked = {**XML, "Transfer-Encoding": "chunked"}
        self.assertEqual(self.ask("POST", "/pypi", chunked, chunk + b"0\r\n\r\n").status, 413)
        self.post(b" " * (MAX_CALL - 1) + b"x")
