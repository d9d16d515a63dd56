import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from tests.kit.processes import ROOT, clean_environment, run
from tests.kit.toml import to_toml


def test_toml_is_read_back_as_it_was() -> None:
    tables = {
        "index": {"root/pypi": {"upstream": "http://x/\u00e4\"'\\\n", "ttl": 1.5}, "main": {"bases": ["root/pypi"]}},
        "server": {"listen": [], "on": True, "max": 10},
    }
    assert tomllib.loads(to_toml(tables)) == tables
    assert tomllib.loads(to_toml({"path": Path("/x")})) == {"path": "/x"}


class TestProcesses:
    def test_environment_has_nothing_of_the_callers(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "TWINE_PASSWORD", "PYPID_SERVER_DATA", "https_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, "caller")
        assert "caller" not in clean_environment(tmp_path).values()
        assert clean_environment(tmp_path, PIP_INDEX_URL="mine")["PIP_INDEX_URL"] == "mine"

    def test_run_returns_both_outputs_and_the_code(self, tmp_path: Path) -> None:
        code = "import sys; print(sys.stdin.read()); sys.exit('bad')"
        result = run([sys.executable, "-c", code], home=tmp_path, stdin="good")
        assert (result.returncode, result.stdout) == (1, "good\nbad\n")


SKIPS = """
import pytest
def test_skips(): pytest.skip("no reason at all")
@pytest.mark.skipif(True, reason="another platform")
def test_of_another_platform(): pass
@pytest.mark.xfail(reason="known")
def test_known(): assert False
"""


@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 failed, 1 skipped, 1 xfailed"), ("", "2 skipped, 1 xfailed")])
def test_skip_is_a_failure_in_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_runtest_makereport\n")
    (tmp_path / "test_skips.py").write_text(textwrap.dedent(SKIPS))
    args: list[str | Path] = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path]
    result = run(args, home=tmp_path, env={"CI": ci, "PYTHONPATH": str(ROOT)})
    assert outcome in result.stdout, result.stdout
    assert result.returncode == (1 if ci else 0)
