import pytest

from tests.kit import invariants
from tests.kit.daemon import Daemon
from tests.kit.rawclient import get


@pytest.mark.usefixtures("short_grace")
class TestInvariants:
    def test_traceback_is_found_unless_expected(self, running: Daemon) -> None:
        get(f"{running.url}raise")
        with pytest.raises(AssertionError, match=r"in the log: .*dividing failed"):
            running.check_invariants()
        running.expect_in_log("dividing failed")
        running.check_invariants()

    def test_expected_event_must_come(self, running: Daemon) -> None:
        running.expect_in_log("dividing failed")
        with pytest.raises(AssertionError, match="expected, but not in the log: 'dividing failed'"):
            running.check_invariants()

    def test_open_files_are_found(self, running: Daemon) -> None:
        get(f"{running.url}leak")
        with pytest.raises(AssertionError, match="open descriptors"):
            running.check_invariants()

    def test_staged_file_is_found(self, running: Daemon) -> None:
        get(f"{running.url}stage")
        with pytest.raises(AssertionError, match="left in staging: upload"):
            running.check_invariants()

    @pytest.mark.parametrize("leaked", ["correct-horse", "am86Y29ycmVjdC1ob3JzZQ%3D%3D"])
    def test_password_in_the_log_is_found(self, running: Daemon, leaked: str) -> None:
        """Also as it is in an Authorization header."""
        running.secrets.append("correct-horse")
        running.check_invariants()
        get(f"{running.url}log?text=Basic+{leaked}")
        with pytest.raises(AssertionError, match="in the log: the secret 'correct-horse'"):
            running.check_invariants()

    def test_daemon_that_does_not_answer_is_found(self, running: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise TimeoutError("timed out")

        monkeypatch.setattr(invariants, "get", refuse)
        with pytest.raises(AssertionError, match="no answer from /-/health"):
            running.check_invariants()
