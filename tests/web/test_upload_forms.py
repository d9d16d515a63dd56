"""The forms that bring a distribution file: every shape that some client sends, and those that none should."""

from __future__ import annotations

import itertools
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from pypid.domain.errors import UploadRefused
from pypid.domain.validation.distribution import Question, Verdict
from pypid.web.body import RequestBody, Valve
from pypid.web.forms import MAX_SIGNATURE, MAX_TEXT, ReceivedForm, receive_form
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.zips import Member, raw_zip
from tests.upstream.network import start
from tests.web.forms import BOUNDARY, bare_lines, fields_of, form, multipart, part
from tests.web.test_upload import UploadTestCase
from tests.web.world import ALICE

ATTESTATIONS = '[{"version": 1}]'
SIGNATURE = b"-----BEGIN PGP SIGNATURE-----"
EMPTY = ("comment", "summary", "keywords", "requires_python", "requires_dist", "license", "pyversion")


class _Content:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""

    async def write(self, data: bytes) -> None:
        self.written += data


class ReceivedFormTests(UploadTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.texts = [part(f'name="{name}"', value.encode()) for name, value in fields_of(self.demo)]
        self.content = part(f'name="content"; filename="{self.demo.filename}"', self.demo.content)

    def received(self, *parts: bytes) -> tuple[ReceivedForm, bytes]:
        """Return what is made of a form that comes in pieces, and its file."""
        clock, content = Clock(), _Content()
        reading = self.reading(clock, content, form(*parts)[1])
        self.assertEqual(clock.getDelayedCalls(), [])
        return self.successResultOf(reading), content.written

    def reading(self, clock: Clock, content: _Content, data: bytes) -> Deferred[ReceivedForm]:
        body = RequestBody(None, Valve(lambda: None, lambda: None), None, clock)
        reading = start(receive_form(body, BOUNDARY, content, limit=3 * MAX_TEXT))
        for at in range(0, len(data), 1000):
            body.received(data[at : at + 1000])
        body.finished()
        return reading

    def test_attestations_and_signature_may_come_anywhere(self) -> None:
        """twine sends them before the file, uv attestations behind it; neither is a field of the form."""
        attestations = part('name="attestations"', ATTESTATIONS.encode())
        signature = part('name="gpg_signature"; filename="demo.asc"', SIGNATURE)
        for order in itertools.permutations([self.content, attestations, signature]):
            received, content = self.received(*self.texts, *order)
            self.assertEqual((received.attestations, received.signature), (ATTESTATIONS, SIGNATURE))
            self.assertEqual((received.filename, content), (self.demo.filename, self.demo.content))
            self.assertEqual(set(received.fields), {name for name, _ in fields_of(self.demo)})
            self.assertEqual(received.problems, [])

    def test_neither_needs_to_be_there_and_empty_is_absent(self) -> None:
        empty = [part('name="attestations"', b""), part('name="gpg_signature"; filename=""', b"")]
        for parts in ([], empty):
            received, _ = self.received(*self.texts, *parts, self.content)
            self.assertEqual((received.attestations, received.signature), (None, None))

    def test_signature_may_be_a_text(self) -> None:
        received, _ = self.received(part('name="gpg_signature"', SIGNATURE), self.content)
        self.assertEqual(received.signature, SIGNATURE)

    def test_longest_signature(self) -> None:
        """B67"""
        for size, problems in ((MAX_SIGNATURE, 0), (MAX_SIGNATURE + 1, 1)):
            signature = part('name="gpg_signature"; filename="demo.asc"', b"x" * size)
            received, _ = self.received(signature, self.content)
            self.assertEqual((len(received.problems), received.signature is None), (problems, bool(problems)))

    def test_what_should_be_there_once(self) -> None:
        twice = [part('name="attestations"', b"[]"), part('name="gpg_signature"', b"x")] * 2
        received, _ = self.received(*twice, self.content)
        self.assertEqual(received.problems, ["attestations: given twice.", "gpg_signature: given twice."])

    def test_texts_without_end(self) -> None:
        """However many parts they are; the file does not count."""
        description = part('name="description"', b"x" * (MAX_TEXT // 4))
        big = part('name="content"; filename="x"', b"x" * MAX_TEXT)
        received, content = self.received(*[description] * 4, big)
        self.assertEqual((len(received.fields["description"]), len(content)), (4, MAX_TEXT))
        reading = self.reading(Clock(), _Content(), form(*[description] * 4, part('name="x"', b"x"))[1])
        self.assertIn("longer than", str(self.failureResultOf(reading, UploadRefused).value))

    def test_many_problems_are_told_up_to_a_number(self) -> None:
        received, _ = self.received(*[part('name="summary"; filename="x"', b"")] * 200, self.content)
        self.assertEqual(len(received.problems), 50)


class ShapeTests(UploadTestCase):
    def test_neither_digest_nor_part_type_is_needed(self) -> None:
        """P7: with empty fields for all that the form could say, in any order."""
        names = (*EMPTY, "md5_digest", "sha256_digest", "blake2_256_digest", "protocol_version", "attestations")
        empty = [(name, "") for name in names]
        for number, dist in enumerate((wheel("demo"), sdist("demo", "2.0"), wheel("demo", "3.0"))):
            said = [*fields_of(dist, sha256_digest=None, protocol_version=None), *empty]
            said = said[::-1] if number == 1 else said
            self.assertEqual(self.send(multipart(said, dist, content_type=None)).status, 200)
            self.assertEqual(self.served(dist), dist.content)

    def test_what_uv_and_poetry_say_of_newer_metadata(self) -> None:
        """P11: in the singular and in the plural."""
        fields = [("metadata_version", "2.5"), ("license_file", "LICENSE"), ("license_expression", "MIT")]
        fields += [("import_names", "demo"), ("import_name", "demo"), ("import_namespaces", "d"), ("dynamic", "x")]
        self.assertEqual(self.send(multipart([*fields_of(self.demo), *fields], self.demo)).status, 200)

    def test_boundary_is_the_clients_choice(self) -> None:
        """B41: as short as one character, as long as RFC 2046 allows and longer, and with all that it allows."""
        content_type, body = multipart(fields_of(self.demo), self.demo)
        for boundary in ("x" * 70, "x" * 200, "'()+_,-./:=?", "-" * 30):
            typed = content_type.replace(BOUNDARY, f'"{boundary}"')
            self.assertEqual(self.send((typed, body.replace(BOUNDARY.encode(), boundary.encode()))).status, 200)

    def test_lines_before_and_after_the_form_are_passed_over(self) -> None:
        content_type, body = multipart(fields_of(self.demo), self.demo)
        self.assertEqual(self.send((content_type, b"preamble\r\n" + body + b"\r\nepilogue")).status, 200)


class BrokenFormTests(UploadTestCase):
    """B41"""

    def refused(self, content_type: str, body: bytes) -> str:
        answer = self.send((content_type, body))
        self.assertEqual(answer.status, 400, answer.text)
        self.nothing_kept()
        return answer.text

    def test_form_that_breaks_off(self) -> None:
        content_type, body = multipart(fields_of(self.demo), self.demo)
        for cut in (10, 100, len(body) // 2, len(body) - 3):
            self.assertIn("no multipart form", self.refused(content_type, body[:cut]))

    def test_lines_that_end_in_lf(self) -> None:
        content_type, body = multipart(fields_of(self.demo), self.demo)
        self.refused(content_type, body.replace(b"\r\n", b"\n"))
        said = self.refused(*bare_lines(fields_of(self.demo, sha256_digest=None), content=self.demo.content))
        self.assertIn("must end in CR LF", said)

    def test_parts_without_end(self) -> None:
        self.assertIn("too many parts", self.refused(*form(*[part('name="classifiers"', b"x")] * 5000)))
        headers = b"".join(b"X-%d: x\r\n" % number for number in range(10))
        self.assertIn("too many parts, or headers", self.refused(*form(headers + part('name="a"', b"x"))))
        self.assertIn("headers that are too long", self.refused(*form(part(f'name="{"a" * 10_000}"', b"x"))))

    def test_boundary_is_named_and_never_comes(self) -> None:
        self.refused(f"multipart/form-data; boundary={BOUNDARY}", b"x" * 1000)

    def test_part_that_is_no_text(self) -> None:
        """Each is a problem of its own, told with the others."""
        parts = [
            part('name="summary"', b"\xff"),
            part('name="author"; filename="x.txt"', b"me"),
            part('name="\xe4 b"; filename="x.txt"', b""),
        ]
        texts = [part(f'name="{name}"', value.encode()) for name, value in fields_of(self.demo, version="2.0")]
        content = part(f'name="content"; filename="{self.demo.filename}"', self.demo.content)
        said = self.refused(*form(*parts, *texts, content))
        for problem in (
            "summary: this is not UTF-8.",
            "author: Should not be a tuple.",
            "'\xe4 b': Should not be a tuple.",
            "the form's version is '2.0'",
        ):
            self.assertIn(problem, said)


class EveryProblemTests(UploadTestCase):
    """What is wrong with the form does not hide what is wrong with the file."""

    def test_both_are_told(self) -> None:
        content = raw_zip([Member("../up"), Member("demo-1.0.dist-info/WHEEL")])
        broken = Dist(filename=self.demo.filename, project=self.demo.project, version="1.0", content=content)
        answer = self.upload(broken, version="2.0", md5_digest="short", filetype="bdist_egg")
        self.assertEqual(answer.status, 400)
        for problem in (
            "the form's version is '2.0'",
            "md5_digest: Use a valid, hex-encoded, md5 message digest.",
            "Use a known file type",
            "'../up' leads out of the archive",
            "required METADATA file",
        ):
            self.assertIn(problem, answer.text)
        self.nothing_kept()

    def test_form_is_held_to_the_file_as_far_as_it_can_be_read(self) -> None:
        answer = self.upload(wheel("demo", requires=["other"]), name="another", requires_dist="evil")
        self.assertIn("the form's name is 'another'", answer.text)
        self.assertIn("only the form has 'evil'", answer.text)

    def test_good_file_adds_nothing(self) -> None:
        answer = self.upload(self.demo, version="2.0")
        self.assertEqual(len(answer.text.splitlines()), 1, answer.text)

    def test_file_that_cannot_be_told_is_not_looked_into(self) -> None:
        for filename, problem in (
            ("demo-1.0.egg", "Invalid file extension: Use .tar.gz or .whl extension, not 'demo-1.0.egg'."),
            ("demo-1.0.win32.exe", "Invalid file extension"),
            ("a/demo-1.0.tar.gz", "Cannot upload a file with '/' or '\\' in the name"),
            ("demo.whl", "Invalid wheel filename"),
        ):
            answer = self.send(multipart(fields_of(self.demo, version="2.0"), self.demo, filename=filename))
            self.assertEqual(answer.status, 400)
            self.assertEqual(len(answer.text.splitlines()), 1, answer.text)
            self.assertIn(problem, answer.text)
            self.nothing_kept()


class LeavingTests(UploadTestCase):
    """B43"""

    def inspect(self, path: Path, question: Question) -> Deferred[Verdict]:  # noqa: ARG002 (that of the base)
        self.inspecting: Deferred[Verdict] = Deferred()
        return self.inspecting

    def test_client_that_leaves_while_a_refused_file_is_looked_into(self) -> None:
        content_type, body = multipart(fields_of(self.demo, version="2.0"), self.demo)
        head = {**ALICE, "Content-Type": content_type, "Content-Length": str(len(body))}
        for rest in (b"", b"GET /-/health HTTP/1.1\r\nHost: pypid.test\r\n\r\n"):
            peer = self.connect()
            peer.ask("POST", "/", head, body + rest)
            self.assertEqual((peer.received, len(self.staged())), (b"", 1))
            peer.leave()
            self.assertTrue(self.inspecting.called, "nobody waits for it any more")
            self.nothing_kept()
