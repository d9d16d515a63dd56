"""docs/manage.md: each command in it is run, in the order of the page, and says what the page says."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.kit.clients import client_venv, twine_upload
from tests.kit.daemon import DaemonFactory
from tests.kit.dists import wheel
from tests.kit.processes import ROOT, run
from tests.kit.upstream import SocketUpstream

GUIDE = (ROOT / "docs" / "manage.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PASSWORD = "correct-horse"


def commands() -> list[tuple[str, str]]:
    """Return each command of the page, and what it says: "..." is anything."""
    found = []
    for block in BLOCK.findall(GUIDE):
        for each in block.split("$ ")[1:]:
            command, _, said = each.partition("\n")
            found.append((command, said))
    return found


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_page_is_true(daemon: DaemonFactory, upstream: SocketUpstream, tmp_path: Path) -> None:
    d = daemon(config={"index": {"main": {"delete": ["alice"]}, "pypi": {"upstream": upstream.url}}})
    d.add_user("alice", PASSWORD)
    dists = [wheel("demo", version) for version in ("1.0", "2.0")]
    for dist in dists:
        (tmp_path / dist.filename).write_bytes(dist.content)
    twine = client_venv("twine", "7.*", home=tmp_path / "home")
    uploaded = twine_upload(twine, d.url, "alice", PASSWORD, *(tmp_path / dist.filename for dist in dists))
    assert uploaded.returncode == 0, uploaded.stdout
    program = tmp_path / "bin" / "pypid"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pypid.cli.main "$@"\n')
    program.chmod(0o755)
    env = {"PYPID_CONFIG": str(d.config_file), "PYPID_PASSWORD": PASSWORD, "PATH": f"{program.parent}:/usr/bin:/bin"}
    assert len(commands()) > 10
    for command, said in commands():
        line = command.replace("http://localhost:8080/", d.url).replace("curl ", "curl --silent --show-error ")
        result = run(["sh", "-c", line], home=tmp_path / "home", env=env)
        expected = re.escape(said).replace(re.escape("..."), ".*")
        assert result.returncode == 0, f"{command}\n{result.stdout}"
        assert re.fullmatch(expected, result.stdout), f"{command}\n{result.stdout}"
