"""
docs/clients.md, read and obeyed: each of its sections with the real clients, on a network where there is only pypid.

The first word after a fence is the language, and what follows says what to do with the block, in the order of the page:

    sh                run it; every command must succeed
    console           run what stands behind "$ "; the output must have the rows that are shown, "..." is anything
    dockerfile        run it as a build would
    LANGUAGE add F    add it to the end of the file F
    LANGUAGE shows F  the file F must have it by now

A section is what stands between two headings. Each has a home, a virtual environment and a project of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.clients import Result, client_venv, make_venv, version_in
from tests.kit.daemon import Daemon
from tests.kit.dists import wheel
from tests.kit.processes import ROOT, run
from tests.kit.rawclient import get
from tests.kit.upstream import ScriptedIndex, SocketUpstream

GUIDE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
PASSWORD = "correct-horse"
HOST = "127.1"
"""An address that leads to 127.0.0.1, but that no client takes for this machine: http:// to it is not to be trusted."""

CLIENTS = {
    "pip": "26.*",
    "uv": "0.13.*",
    "twine": "7.*",
    "poetry": "2.*",
    "pdm": "2.*",
    "hatch": "1.*",
    "bandersnatch": "6.*",
}

PROJECT = """\
[project]
name = "acme-app"
version = "{version}"
requires-python = ">=3.11"

[tool.pdm]
distribution = false

[tool.hatch.envs.default]
skip-install = true
dependencies = ["requests"]

"""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block."""

    section: str
    language: str
    use: tuple[str, ...]
    text: str


def blocks_of(page: str) -> list[Block]:
    found: list[Block] = []
    headings: list[str] = []
    for heading, title, info, text in re.findall(
        r"^(#+) ([^\n]+)$|^```([^\n]*)\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL
    ):
        if heading:
            headings[len(heading) - 1 :] = [title]
        else:
            language, *use = info.split()
            found.append(Block(": ".join(headings[1:]), language, tuple(use), text))
    return found


BLOCKS = blocks_of(GUIDE)
SECTIONS = list(dict.fromkeys(block.section for block in BLOCKS))


@pytest.fixture(scope="module")
def pypid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that mirrors requests and has acme-tools."""
    index = ScriptedIndex()
    index.add(wheel("requests", "2.32.0"))
    index.add(wheel("acme-tools", "99.0"))
    with SocketUpstream(index) as upstream:
        d = Daemon(tmp_path_factory.mktemp("pypid"), {"index": {"pypi": {"upstream": upstream.url}}})
        try:
            d.start()
            d.add_user("alice", PASSWORD)
            place = tmp_path_factory.mktemp("upload")
            twine = client_venv("twine", CLIENTS["twine"], home=place)
            tools = write_wheel("acme-tools", "1.0", place)
            env = {"TWINE_USERNAME": "alice", "TWINE_PASSWORD": PASSWORD}
            assert twine.run("twine", "upload", "--repository-url", d.url, tools, env=env).returncode == 0
            yield d
            d.check_invariants()
        finally:
            d.kill()


def write_wheel(project: str, version: str, directory: Path) -> Path:
    dist = wheel(project, version)
    directory.mkdir(exist_ok=True)
    path = directory / dist.filename
    path.write_bytes(dist.content)
    return path


class Reader:
    """Somebody who does what the page says, at a computer of their own."""

    def __init__(self, pypid: Daemon, place: Path, version: str) -> None:
        self._pypid = pypid
        self._home = place / "home"
        self._project = place / "project"
        self._venv = place / "venv"
        self._programs = place / "programs"
        self.python = make_venv(self._venv)
        self._programs.mkdir()
        for name, wanted in CLIENTS.items():
            program = client_venv(name, wanted, home=self._home).path / "bin" / name
            script = self._programs / name
            # As if it were installed in the virtual environment, which would take seconds.
            options = f"--python {self.python} " if name == "pip" else ""
            # It would go through a proxy for https:// to any URL.
            first = "unset https_proxy\n" if name == "bandersnatch" else ""
            script.write_text(f'#!/bin/sh\n{first}exec {program} {options}"$@"\n')
            script.chmod(0o755)
        self._project.mkdir()
        self._wheel = write_wheel("acme-app", version, self._project / "dist")
        (self._project / "pyproject.toml").write_text(PROJECT.format(version=version))

    def obey(self, block: Block) -> None:
        text = self._here(block.text)
        match block.language, *block.use:
            case ["sh"]:
                self._run(text)
            case ["console"]:
                for command in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                    self._compare(*command.split("\n", 1))
            case ["dockerfile"]:
                self._build(text)
            case [_, "add", name]:
                path = self._path(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a") as file:
                    file.write(text)
            case [_, "shows", name]:
                assert text in self._path(name).read_text()
            case _:
                pytest.fail(f"no test knows what to do with this block:\n{block}")

    def sh(self, script: str) -> Result:
        env = {
            "PATH": f"{self._venv / 'bin'}:{self._programs}:/usr/bin:/bin",
            "VIRTUAL_ENV": str(self._venv),
            "XDG_CONFIG_HOME": str(self._home / ".config"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "PYTHONPATH": "",
            # Nobody listens there: whatever goes to another index than pypid fails at once.
            "https_proxy": "http://127.0.0.1:9",
        }
        # What the kit keeps clients from reading is what is to be read here.
        unset = "unset PIP_CONFIG_FILE UV_NO_CONFIG"
        return run(["bash", "-euc", f"{unset}\n{script}"], home=self._home, env=env, cwd=self._project)

    def _here(self, text: str) -> str:
        # In .netrc uv looks for what its URL parser makes of the host, and bandersnatch takes no other address.
        host = "127.0.0.1" if text.startswith(("machine ", "[mirror]")) else HOST
        text = text.replace("pypid.lan:8080", f"{host}:{self._pypid.port}").replace("pypid.lan", host)
        return text.replace("the-password", PASSWORD).replace("/srv/", f"{self._home}/srv/")

    def _path(self, name: str) -> Path:
        return self._home / name[2:] if name.startswith("~/") else self._project / name

    def _run(self, script: str) -> None:
        result = self.sh(script)
        assert result.returncode == 0, f"{script}\n{result.stdout}"
        if re.search(r"\b(publish|upload)\b", script):
            page = get(f"{self._pypid.simple}acme-app/").body.decode()
            assert self._wheel.name in page, f"{script}\n{result.stdout}"

    def _compare(self, command: str, shown: str) -> None:
        output = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.sh(command).stdout)
        pattern = ".*".join(re.escape(part.strip()) for part in _unwrapped(shown).split("..."))
        assert re.search(pattern, _unwrapped(output)), f"{command}\n{output}"

    def _build(self, dockerfile: str) -> None:
        lines = re.sub(r"\\\n", "", dockerfile).splitlines()
        steps = dict.fromkeys(["FROM", "ARG", "ENV", "RUN"], "")
        script = []
        for instruction, _, rest in (line.partition(" ") for line in lines):
            assert instruction in steps, f"no test knows the instruction {instruction}"
            if instruction != "FROM":
                script.append(rest if instruction == "RUN" else f"export {rest}")
        self._run("\n".join(script))


def _unwrapped(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("section", SECTIONS)
def test_what_the_guide_says_works(section: str, pypid: Daemon, tmp_path: Path) -> None:
    reader = Reader(pypid, tmp_path, version=f"1.{SECTIONS.index(section)}")
    for block in BLOCKS:
        if block.section == section:
            reader.obey(block)


def test_no_block_is_overlooked() -> None:
    """A fence that the pattern does not see, indented or open, would be one that nobody tests."""
    assert len(re.findall(r"```|~~~", GUIDE)) == 2 * len(BLOCKS)
    assert {"pip", "uv", "poetry", "pdm", "hatch", "twine"} <= {section.partition(":")[0] for section in SECTIONS}


PIP = "pip install --retries 0 --trusted-host {host}"
PDM = """\
source='[[tool.pdm.source]]\\nname = "%s"\\nurl = "%s"\\nverify_ssl = false\\n'
printf "$source" pypi {pypi} pypid {pypid} >>pyproject.toml
pdm add"""


@pytest.mark.parametrize(
    "install",
    [
        pytest.param(f"{PIP} --index-url {{pypid}} --extra-index-url {{pypi}}", id="pip"),
        pytest.param(f"{PIP} --index-url http://{{host}}:9/simple/ --extra-index-url {{pypi}}", id="pip-pypid-is-down"),
        pytest.param(PDM, id="pdm"),
    ],
)
def test_what_the_guide_says_of_a_second_index(install: str, pypid: Daemon, tmp_path: Path) -> None:
    """A stranger's 99.0 of a name that is ours comes from the index that stands for PyPI here."""
    simple, pypi = (f"http://{HOST}:{pypid.port}/{path}" for path in ("simple/", "pypi/simple/"))
    reader = Reader(pypid, tmp_path, version="1.0")
    result = reader.sh(f"{install} acme-tools".format(host=HOST, pypid=simple, pypi=pypi))
    assert result.returncode == 0, result.stdout
    assert version_in(reader.python, "acme_tools", home=tmp_path) == "99.0"
