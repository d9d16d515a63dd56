"""The arrows between the layers, as design.md draws them: read from the imports, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pypid

PACKAGE = Path(pypid.__file__).parent

LAYERS = frozenset(
    {
        "domain",
        "config",
        "failpoints",
        "flight",
        "offload",
        "storage",
        "upstream",
        "inspection",
        "indexes",
        "web",
        "daemon",
        "cli",
    }
)

MAY_IMPORT: dict[str, frozenset[str]] = {
    "domain": frozenset(),
    "config": frozenset({"domain"}),
    "failpoints": frozenset(),
    "flight": frozenset(),
    "offload": frozenset(),
    "storage": frozenset({"domain", "failpoints", "flight", "offload"}),
    "upstream": frozenset({"domain", "flight", "offload"}),
    "inspection": frozenset({"domain"}),
    "indexes": frozenset({"domain", "storage", "upstream", "flight", "offload"}),
    "web": frozenset({"domain", "indexes", "failpoints", "flight", "offload"}),
    "daemon": LAYERS - {"cli"},
    "cli": LAYERS - {"daemon"},
}

NOT_IN_DOMAIN = frozenset({"twisted", "os", "pathlib", "time", "socket", "threading", "sqlite3"})

REACTOR = "twisted.internet.reactor"
MAY_IMPORT_REACTOR = "pypid.daemon.tap"


def module_name(path: Path, package: Path) -> str:
    """The dotted name under which ``path`` is imported; a package's own is that of its folder."""
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, package: Path) -> Iterator[str]:
    """Every absolute name that ``path`` imports, wherever in it; ``from a import b`` is ``a.b``."""
    folder = path.relative_to(package.parent).parent.parts
    for node in ast.walk(ast.parse(path.read_bytes(), path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            near = folder[: len(folder) - node.level + 1] if node.level else ()
            source = ".".join([*near, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def layer_of(name: str) -> str | None:
    """The layer of a name inside pypid; None for the package itself and for what is not pypid's."""
    top, _, rest = name.partition(".")
    part = rest.partition(".")[0]
    if top != "pypid" or not part or part.startswith("__"):
        return None
    return part


def is_in(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def wrong_import(importer: str, imported: str) -> str | None:
    """Why ``importer`` may not import ``imported``, or None."""
    own, other = layer_of(importer), layer_of(imported)
    if own is not None and own not in MAY_IMPORT:
        return f"{importer}: no arrow is drawn for the layer {own!r}"
    if other is not None and other != own and other not in MAY_IMPORT.get(own or "", ()):
        return f"{importer}: {own} may not import {imported}"
    if own == "domain" and imported.partition(".")[0] in NOT_IN_DOMAIN:
        return f"{importer}: domain may not import {imported}"
    if is_in(imported, REACTOR) and importer != MAY_IMPORT_REACTOR:
        return f"{importer}: only {MAY_IMPORT_REACTOR} may import the reactor"
    return None


def wrong_imports(package: Path) -> list[str]:
    """Every import under ``package`` that goes against an arrow, one sentence each."""
    return [
        problem
        for path in sorted(package.rglob("*.py"))
        for imported in imports(path, package)
        if (problem := wrong_import(module_name(path, package), imported))
    ]


def test_arrows_point_down() -> None:
    """No module of pypid imports a layer that it may not know."""
    assert wrong_imports(PACKAGE) == []


def test_reads_the_real_package() -> None:
    """The test above has looked at the modules that it is about."""
    seen = {module_name(path, PACKAGE) for path in PACKAGE.rglob("*.py")}
    assert {"pypid", "pypid.domain", "pypid.domain.names"} <= seen
    assert "pypid.domain.names.NormalizedName" in set(imports(PACKAGE / "domain" / "files.py", PACKAGE))


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("domain/names.py", "import os.path"),
        ("domain/names.py", "from pathlib import Path"),
        ("domain/deep/names.py", "from twisted.logger import Logger"),
        ("domain/names.py", "from pypid.config import Config"),
        ("domain/names.py", "from pypid import flight"),
        ("storage/blobs.py", "import pypid.upstream.client"),
        ("storage/blobs.py", "from ..upstream import client"),
        ("storage/blobs.py", "from .. import config"),
        ("storage/__init__.py", "from ..web import site"),
        ("upstream/client.py", "def late() -> None:\n    from pypid.storage.blobs import Blobs"),
        ("web/site.py", "from pypid.config.units import parse_size"),
        ("web/site.py", "from pypid.storage import records"),
        ("web/site.py", "from pypid.daemon.tap import Options"),
        ("config/parse.py", "import pypid.storage"),
        ("daemon/tap.py", "from pypid.cli import main"),
        ("daemon/reload.py", "from twisted.internet import reactor"),
        ("cli/main.py", "import twisted.internet.reactor"),
        ("web/site.py", "from twisted.internet.reactor import callLater"),
        ("novel/site.py", "import json"),
        ("__init__.py", "from pypid.domain import names"),
    ],
)
def test_finds_what_is_not_allowed(tmp_path: Path, module: str, line: str) -> None:
    path = tmp_path / "pypid" / module
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert len(wrong_imports(tmp_path / "pypid")) == 1


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("domain/names.py", "import re\nfrom pypid.domain.errors import ProjectNotFound"),
        ("storage/blobs.py", "from . import schema\nfrom ..domain import files\nimport os"),
        ("config/kinds.py", "from pypid.config.units import parse_size"),
        ("indexes/mirror.py", "from pypid.flight import SingleFlight\nfrom pypid.storage import blobs"),
        ("daemon/tap.py", "from twisted.internet import reactor\nfrom pypid import config, __version__"),
        ("daemon/reload.py", "from twisted.internet.interfaces import IReactorTime"),
        ("cli/main.py", "from pypid.config import Config\nfrom pypid.web.site import Site"),
    ],
)
def test_accepts_what_is_allowed(tmp_path: Path, module: str, line: str) -> None:
    path = tmp_path / "pypid" / module
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert wrong_imports(tmp_path / "pypid") == []
