"""Who may upload, and what everybody else is told."""

from base64 import b64encode

from tests.kit.dists import wheel
from tests.web.forms import fields_of, multipart
from tests.web.world import ALICE, Answer, WebTestCase


def basic(user: bytes, password: bytes) -> str:
    return "Basic " + b64encode(user + b":" + password).decode()


class AuthTestCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.content_type, self.body = multipart(fields_of(wheel("demo")), wheel("demo"))

    def send(self, *lines: str) -> Answer:
        peer = self.connect()
        head = ["POST / HTTP/1.1", "Host: x", f"Content-Length: {len(self.body)}", f"Content-Type: {self.content_type}"]
        peer.send("\r\n".join([*head, *(f"Authorization: {line}" for line in lines)]).encode("latin-1") + b"\r\n\r\n")
        if not peer.received:
            peer.send(self.body)
        return peer.answer()


class CredentialsTests(AuthTestCase):
    def test_credentials_that_are_right(self) -> None:
        for scheme in ("Basic", "basic", "BASIC"):
            self.assertEqual(self.send(ALICE["Authorization"].replace("Basic", scheme)).status, 200)

    def test_everything_else_is_a_401_with_a_challenge(self) -> None:
        """B31: and never a 500."""
        right = ALICE["Authorization"].partition(" ")[2]
        for lines in (
            (), ("",), ("Basic",), ("Basic ",), (right,), ("Basic !!!",), ("Basic YWxpY2U",), ("Basic YWxpY2U=",),
            (f"Bearer {right}",), ('Digest username="alice"',), (f"Basic{right}",), (f"Basic {right} x",),
            (f"Basic {'A' * 8000}",),
            ("Basic \xff\xff",), (basic(b"\xff\xfe", b"secret"),), (basic(b"al\xefce", b"secret"),),
            (basic(b"alice", b""),), (basic(b"", b""),), (basic(b"alice", b"Secret"),), (basic(b"alice", b"secret\0"),),
            (basic(b"Alice", b"secret"),), (basic(b"bob", b"secret"),), (basic(b"__token__", b"pypi-x"),),
            (basic(b"alice\0", b"secret"),), (basic(b"alice", b"secret" * 900),),
        ):  # fmt: skip
            answer = self.send(*lines)
            self.assertEqual(answer.status, 401, lines)
            self.assertEqual(answer.headers["WWW-Authenticate"], 'Basic realm="pypi", charset="UTF-8"')
            self.assertEqual(answer.headers["Connection"], "close")
            self.assertEqual(self.staged(), [])
            self.assertNotIn("Traceback", answer.text)

    def test_another_scheme_is_told_which_one_there_is(self) -> None:
        for scheme in ('Digest username="alice"', "Negotiate"):
            self.assertIn("Only Basic and Bearer authentication are known here", self.send(scheme).reason, scheme)

    def test_token_of_another_index_is_told_to_be_none(self) -> None:
        self.assertIn("Invalid token", self.send("Bearer pypi-abc").reason)

    def test_two_headers_or_one_of_endless_length_are_a_400(self) -> None:
        """B31: which of them counts would be a guess."""
        right = ALICE["Authorization"]
        for lines in ((right, right), (right, "Bearer x"), (f"Basic {'A' * 8185}",)):
            answer = self.send(*lines)
            self.assertEqual((answer.status, answer.headers["Connection"]), (400, "close"))
            self.assertEqual(self.staged(), [])

    def test_password_longer_than_bcrypt_can_take_is_wrong_whatever_it_begins_with(self) -> None:
        for password in (b"x" * 72, b"x" * 73, "\u00e9".encode() * 37, b"secret" + b"\0" * 70):
            self.assertEqual(self.send(basic(b"alice", password)).status, 401)

    def test_refusal_says_neither_what_was_wrong_nor_who_there_is(self) -> None:
        known, unknown = self.send(basic(b"alice", b"x")), self.send(basic(b"bob", b"x"))
        self.assertEqual((known.reason, known.body), (unknown.reason, unknown.body))

    def test_reading_needs_no_credentials_and_minds_no_wrong_ones(self) -> None:
        """CI machines send what is in their .netrc to every host."""
        self.publish(wheel("demo"))
        for value in (basic(b"bob", b"x"), "Basic", "nonsense"):
            self.assertEqual(self.get("/simple/demo/", {"Authorization": value}).status, 200)


class NobodyTests(AuthTestCase):
    users = None

    def test_without_a_user_file_the_answer_says_how_to_make_one(self) -> None:
        for line in ((), (ALICE["Authorization"],)):
            answer = self.send(*line)
            self.assertEqual(answer.status, 403)
            self.assertIn("pypid user add NAME", answer.reason)
            self.assertIn("pypid user add NAME", answer.text)
