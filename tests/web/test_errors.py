"""What can go wrong, and the status that it becomes."""

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.errors import FileNotFound, PackageIndexError, UpstreamUnavailable
from pypid.domain.files import ProjectPage
from pypid.domain.names import IndexName, NormalizedName
from pypid.indexes.index import FileBody
from pypid.web.errors import MAX_REASON, STATUS
from tests.kit.dists import wheel
from tests.kit.upstream import Status
from tests.web.world import Answer, WebTestCase


def subclasses(error: type[PackageIndexError]) -> Iterator[type[PackageIndexError]]:
    for each in error.__subclasses__():
        yield each
        yield from subclasses(each)


class StatusTests(SynchronousTestCase):
    def test_every_error_of_the_domain_has_a_status(self) -> None:
        self.assertEqual(set(STATUS), set(subclasses(PackageIndexError)))

    def test_only_what_is_not_there_is_a_404(self) -> None:
        """Installers take one as leave to look in the next index."""
        missing = {error.__name__ for error, status in STATUS.items() if status in {404, 410}}
        self.assertEqual(missing, {"IndexNotFound", "ProjectNotFound", "FileNotFound"})
        unknowable = [status for error, status in STATUS.items() if issubclass(error, UpstreamUnavailable)]
        self.assertGreaterEqual(min(unknowable), 500)


class _Failing:
    """An `Index` with one answer to everything."""

    name = IndexName("failing")

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def project_list(self) -> list[NormalizedName]:
        raise self._error

    async def project_page(self, project: NormalizedName) -> ProjectPage:  # noqa: ARG002
        raise self._error

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:  # noqa: ARG002
        return _Breaking(self._error)

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:  # noqa: ARG002
        raise self._error


class _Breaking:
    """A file that ends in an error after a hundred bytes."""

    sha256 = "0" * 64

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.closed = False

    async def size(self) -> int:
        return 1000

    async def read(self, offset: int, size: int = 100) -> bytes:  # noqa: ARG002
        if offset < 100:
            return b"x" * (100 - offset)
        raise self._error

    def close(self) -> None:
        self.closed = True


class AnswerTests(WebTestCase):
    def failing(self, error: Exception) -> None:
        self.current.value.indexes[_Failing.name] = _Failing(error)  # type: ignore[index]

    def fail_with(self, error: Exception) -> Answer:
        self.failing(error)
        return self.get("/failing/simple/demo/")

    def test_reason_says_what_the_body_says(self) -> None:
        """pip, twine and uv show the reason phrase and nothing else."""
        answer = self.fail_with(FileNotFound("it is not there"))
        self.assertEqual((answer.status, answer.reason, answer.text), (404, "it is not there", "it is not there\n"))
        self.assertEqual(answer.headers["Cache-Control"], "no-store")

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
