"""What can go wrong, and the status that it becomes."""

import json
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.cache_status import HIT
from pypid.domain.changes import Change
from pypid.domain.error_form import ErrorForm
from pypid.domain.errors import FileNotFound, PackageIndexError, UploadRefused, UpstreamUnavailable
from pypid.domain.files import ProjectPage
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.project_list import ProjectList
from pypid.domain.ranges import ByteRange
from pypid.indexes.index import FileBody
from pypid.web.errors import MAX_REASON, STATUS, render_error
from tests.domain.strategies import patient
from tests.kit.dists import wheel
from tests.kit.upstream import Status
from tests.web.forms import fields_of, multipart
from tests.web.world import ALICE, Answer, WebTestCase

PIP = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"  # and uv, pdm
)
UV_PUBLISH = "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def subclasses(error: type[PackageIndexError]) -> Iterator[type[PackageIndexError]]:
    for each in error.__subclasses__():
        yield each
        yield from subclasses(each)


class StatusTests(SynchronousTestCase):
    def test_every_error_of_the_domain_has_a_status(self) -> None:
        self.assertEqual(set(STATUS), set(subclasses(PackageIndexError)))

    def test_only_what_is_not_there_is_a_404(self) -> None:
        """Installers take one as leave to look in the next index; the last two are for who uploads, or has tokens."""
        missing = {error.__name__ for error, status in STATUS.items() if status in {404, 410}}
        self.assertEqual(missing, {"IndexNotFound", "ProjectNotFound", "FileNotFound", "NotOffered", "TokenNotFound"})
        unknowable = [status for error, status in STATUS.items() if issubclass(error, UpstreamUnavailable)]
        self.assertGreaterEqual(min(unknowable), 500)


class _Texts(HTMLParser):
    """Collects the elements of a page, and the text of its paragraphs."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.said = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.elements.add(tag)

    def handle_data(self, data: str) -> None:
        if self.lasttag == "p":
            self.said += data


class RenderTests(SynchronousTestCase):
    @patient
    @given(st.text(st.characters(exclude_categories=["C", "Z"])))
    def test_what_is_said_is_read_back(self, line: str) -> None:
        """Whatever a peer had us say is text, in each form."""
        for form in (ErrorForm.PROBLEM, ErrorForm.JSON):
            self.assertEqual(json.loads(render_error(form, 404, (line,)))["detail"], line)
        self.assertEqual(render_error(ErrorForm.TEXT, 404, (line,)), f"{line}\n")
        page = _Texts(render_error(ErrorForm.HTML, 404, (line,)))
        self.assertEqual(page.said.rstrip("\n"), line)
        self.assertEqual(page.elements, {"html", "head", "meta", "title", "body", "h1", "p"})


def _line(name: str, headers: Mapping[str, str]) -> bytes:
    return f"{name}: {headers[name]}\r\n".encode()


class _Failing:
    """An `Index` with one answer to everything."""

    name = IndexName("failing")

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def project_list(self) -> ProjectList:
        raise self._error

    hosted_revision = "failing"

    async def hosted_changes(self) -> list[Change]:
        raise self._error

    async def hosted_pages(self) -> list[ProjectPage]:
        raise self._error

    async def project_page(self, project: NormalizedName, *, newest: bool = False) -> ProjectPage:  # noqa: ARG002
        raise self._error

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:  # noqa: ARG002
        return _Breaking(self._error)

    async def provenance(self, project: NormalizedName, filename: str, digest_prefix: str) -> bytes:  # noqa: ARG002
        raise self._error

    async def signature(self, project: NormalizedName, filename: str, digest_prefix: str) -> bytes:  # noqa: ARG002
        raise self._error

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:  # noqa: ARG002
        raise self._error


class _Breaking:
    """A file that ends in an error after a hundred bytes."""

    index = _Failing.name
    cache_status = HIT

    sha256 = "0" * 64
    verified = True

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.closed = False

    async def size(self) -> int:
        return 1000

    announced_size = size

    def narrow(self, part: ByteRange) -> None: ...

    async def read(self, offset: int, size: int = 100) -> bytes:  # noqa: ARG002
        if offset < 100:
            return b"x" * (100 - offset)
        raise self._error

    def close(self) -> None:
        self.closed = True


class AnswerTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.current.value.rights[_Failing.name] = self.rights  # type: ignore[index]

    def failing(self, error: Exception) -> None:
        self.current.value.indexes[_Failing.name] = _Failing(error)  # type: ignore[index]

    def fail_with(self, error: Exception, accept: str | None = None) -> Answer:
        self.failing(error)
        return self.get("/failing/simple/demo/", {"Accept": accept} if accept else {})

    def test_reason_says_what_the_body_says(self) -> None:
        """pip, twine and uv show the reason phrase and nothing else."""
        answer = self.fail_with(FileNotFound("it is not there"))
        self.assertEqual((answer.status, answer.reason, answer.text), (404, "it is not there", "it is not there\n"))
        self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_installer_is_told_as_a_problem(self) -> None:
        """uv shows title and detail, and does not know reason phrases where a proxy speaks HTTP/2 to it."""
        answer = self.fail_with(UpstreamUnavailable("not now"), PIP)
        self.assertEqual((answer.status, answer.reason), (503, "not now"))
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(json.loads(answer.body), {"title": "Service Unavailable", "status": 503, "detail": "not now"})

    def test_browser_is_told_in_html(self) -> None:
        answer = self.fail_with(FileNotFound("<script>alert('&')</script>"), FIREFOX)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (404, "text/html; charset=utf-8"))
        self.assertIn("<h1>404 Not Found</h1>", answer.text)
        self.assertIn("<p>&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;</p>", answer.text)
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    def test_who_does_not_care_is_told_in_plain_text(self) -> None:
        for accept in (None, "*/*"):
            answer = self.fail_with(FileNotFound("<b>"), accept)
            self.assertEqual((answer.headers["Content-Type"], answer.text), ("text/plain; charset=utf-8", "<b>\n"))
        for accept in ("image/png", "text/plain"):
            answer = self.get("/no/such/thing", {"Accept": accept})
            self.assertEqual((answer.status, answer.headers.get_content_type()), (404, "text/plain"), accept)

    def test_file_is_asked_for_by_installers(self) -> None:
        """They accept anything then, and uv shows a problem: in this form it is told unless it likes another one."""
        file = f"/files/demo/{'0' * 16}/demo-1.0-py3-none-any.whl"
        for target in (file, f"{file}.metadata", f"/nowhere{file}"):
            for accept in (None, "*/*"):
                answer = self.get(target, {"Accept": accept} if accept else {})
                self.assertEqual((answer.status, answer.headers["Content-Type"]), (404, "application/problem+json"))
                self.assertEqual(json.loads(answer.body)["detail"], answer.reason)
            self.assertEqual(self.get(target, {"Accept": FIREFOX}).headers.get_content_type(), "text/html")

    def test_refused_upload_is_told_as_pypi_does(self) -> None:
        """uv shows the code, twine the reason."""
        answer = self.refused(UV_PUBLISH)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (400, "application/json"))
        said = json.loads(answer.body)
        self.assertEqual((said["title"], said["status"]), ("Bad Request", 400))
        self.assertTrue(said["code"].startswith(f"400 {answer.reason}"), "the reason is cut off")
        self.assertEqual(said["message"], said["detail"])
        self.assertEqual(said["code"], "400 " + "; ".join(said["message"].split("\n")))
        twine = self.refused("*/*")
        self.assertEqual((twine.reason, twine.headers.get_content_type()), (answer.reason, "text/plain"))

    def refused(self, accept: str) -> Answer:
        demo = wheel("demo")
        content_type, body = multipart(fields_of(demo, sha256_digest="0" * 64, md5_digest="0" * 32), demo)
        answer = self.ask("POST", "/", {**ALICE, "Accept": accept, "Content-Type": content_type}, body)
        self.assertIn("; ", answer.reason, "two problems")
        return answer

    def test_every_problem_of_an_upload_is_a_line_of_its_own(self) -> None:
        error = UploadRefused(["one", "two"])
        self.assertEqual(self.fail_with(error).text, "one\ntwo\n")
        self.assertEqual(json.loads(self.fail_with(error, PIP).body)["detail"], "one\ntwo")
        self.assertIn("<p>one</p>\n<p>two</p>", self.fail_with(error, FIREFOX).text)

    def test_form_of_an_error_depends_on_what_is_accepted_and_says_so(self) -> None:
        file = f"/files/demo/{'0' * 16}/demo-1.0-py3-none-any.whl"
        for target in ("/no/such/thing", "/nowhere/simple/", file):
            answer = self.get(target)
            self.assertEqual((answer.status, answer.headers["Vary"]), (404, "Accept"), target)

    def test_fault_and_routing_error_come_in_every_form(self) -> None:
        for accept, expected in ((PIP, "application/problem+json"), (FIREFOX, "text/html"), ("*/*", "text/plain")):
            self.assertEqual(self.fail_with(ZeroDivisionError("secret"), accept).headers.get_content_type(), expected)
            self.assertEqual(self.get("/no/such", {"Accept": accept}).headers.get_content_type(), expected)
            wrong = self.ask("PUT", "/simple/demo/", {"Accept": accept})
            self.assertEqual((wrong.status, wrong.headers.get_content_type()), (405, expected))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 3)

    def test_hostile_text_is_well_formed_in_every_form(self) -> None:
        for accept in (PIP, UV_PUBLISH, FIREFOX, "*/*"):
            answer = self.fail_with(
                FileNotFound('a\r\n\x00\x85\u2028\u20ac\udc80"<&\\{0}{title}' + "b" * 10_000), accept
            )
            self.assertEqual(answer.headers["Content-Length"], str(len(answer.body)))
            self.assertIn("\u20ac", answer.text)
            self.assertIn("b" * 10_000, answer.text, "only the reason has a limit")
            self.assertNotRegex(answer.text, "[\r\x00\x85\u2028]")
            if accept in {PIP, UV_PUBLISH}:
                self.assertTrue(json.loads(answer.body)["detail"].startswith('a     \u20ac "<&\\{0}{title}b'))

    def test_header_that_is_no_text_is_no_fault_of_ours(self) -> None:
        demo = self.publish(wheel("demo"))
        file = f"/files/demo/{demo.sha256[:16]}/{demo.filename}"
        names = ("Accept", "Accept-Encoding", "If-None-Match", "If-Range", "Range", "Content-Type", "User-Agent")
        for name in names:
            for target, status in (("/simple/demo/", 200), ("/simple/", 200), (file, 200), ("/no/such/thing", 404)):
                peer = self.connect()
                peer.send(f"GET {target} HTTP/1.1\r\nHost: x\r\n{name}: ".encode() + b"\xff\xfe\r\n\r\n")
                self.assertEqual(peer.answer().status, status, (name, target))
        for head, status in (
            (b"GET / HTTP/1.1\r\nHost: \xff\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: \xff\r\n", 401),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: \xff\r\n" + _line("Authorization", ALICE), 400),
        ):
            peer = self.connect()
            peer.send(head + b"\r\n")
            self.assertEqual(peer.answer().status, status, head)

    def test_reason_is_one_line_of_bounded_length(self) -> None:
        answer = self.fail_with(FileNotFound("a\r\nX-Evil: 1\r\n\r\n\x00\x7f\x85\u2028\u20ac\udc80" + "b" * 10_000))
        self.assertEqual(answer.status, 404)
        self.assertNotIn("X-Evil", answer.headers)
        self.assertLessEqual(len(answer.reason), MAX_REASON)
        self.assertRegex(answer.reason, r"^[\x20-\x7e]*$")

    def test_retry_after_is_in_whole_seconds(self) -> None:
        answer = self.fail_with(UpstreamUnavailable("not now", retry_after=7))
        self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "7"))

    def test_upstream_that_is_down_is_a_503_that_says_when_to_come_back(self) -> None:
        self.index.add(wheel("demo"))
        self.index.script("/simple/demo/", Status(500), times=None)
        for target in ("/simple/demo/", "/root/pypi/simple/demo/"):
            answer = self.get(target)
            self.assertIn(answer.status, (502, 503))
            self.assertRegex(answer.headers["Retry-After"], r"^[1-9][0-9]*$")

    def test_fault_of_ours_says_nothing_of_itself_and_is_logged(self) -> None:
        answer = self.fail_with(ZeroDivisionError("secret"))
        self.assertEqual((answer.status, answer.text), (500, "internal server error\n"))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_failure_after_the_first_byte_resets_the_connection(self) -> None:
        """Neither an error page in the file, nor an end that looks like its end."""
        for error in (UpstreamUnavailable("gone"), ZeroDivisionError(), OSError("disk")):
            self.failing(error)
            peer = self.connect()
            peer.ask("GET", f"/failing/files/demo/{'0' * 16}/demo-1.0.tar.gz")
            self.assertTrue(peer.aborted, error)
            self.assertTrue(peer.received.endswith(b"\r\n\r\n" + b"x" * 100), error)
            self.flushLoggedErrors(ZeroDivisionError, OSError)

    def test_file_that_is_too_short_resets_the_connection(self) -> None:
        class Short(_Breaking):
            async def read(self, offset: int, size: int = 100) -> bytes:  # noqa: ARG002
                return b"x" * (100 - offset)

        class Index(_Failing):
            async def open_file(self, *_: object) -> FileBody:
                return Short(EOFError())

        self.current.value.indexes[_Failing.name] = Index(EOFError())  # type: ignore[index]
        peer = self.connect()
        peer.ask("GET", f"/failing/files/demo/{'0' * 16}/demo-1.0.tar.gz")
        self.assertTrue(peer.aborted)
        self.assertEqual(len(self.flushLoggedErrors(EOFError)), 1)
