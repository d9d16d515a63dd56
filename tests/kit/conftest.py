"""A stand-in for the daemon: a twistd plugin that misbehaves on request, for the tests of the harness itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import invariants
from tests.kit.daemon import Daemon

PLUGIN = """
from twisted.application.service import ServiceMaker
stand_in = ServiceMaker("pypid", "stand_in", "A stand-in.", "pypid")
"""

STAND_IN = """
import os, signal, tomllib
from pathlib import Path
from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import MultiService
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.logger import Logger
from twisted.python.usage import Options as Base
from twisted.web.resource import Resource
from twisted.web.server import Site

log, kept = Logger(), []

class Options(Base):
    optParameters = [["config", "c", None]]

class Root(Resource):
    isLeaf = True
    def render_GET(self, request):
        if request.path == b"/log":
            log.info("said {text}", text=request.args[b"text"][0].decode())
        elif request.path == b"/raise":
            try:
                1 / 0
            except ZeroDivisionError:
                log.failure("dividing failed")
        elif request.path == b"/leak":
            kept.extend(open(os.devnull) for _ in range(20))
        elif request.path == b"/stage":
            (data / "staging" / "upload").touch()
        elif request.path == b"/die":
            os._exit(3)
        return b"ok"

def makeService(options):
    global data
    server = tomllib.loads(Path(options["config"]).read_text())["server"]
    data = Path(server["data"])
    (data / "staging").mkdir(parents=True, exist_ok=True)
    if server.get("refuse"):
        raise SystemExit("the configuration is refused")
    services = MultiService()
    for listen in server["listen"]:
        StreamServerEndpointService(serverFromString(reactor, listen), Site(Root())).setServiceParent(services)
    reactor.callWhenRunning(signal.signal, signal.SIGHUP, lambda *_: reactor.callFromThread(log.info, "reloaded"))
    return services
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> dict[str, str]:
    """The environment in which `twistd pypid` is the stand-in."""
    plugins = tmp_path / "stand-in" / "twisted" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "stand_in_plugin.py").write_text(PLUGIN)
    (tmp_path / "stand-in" / "stand_in.py").write_text(STAND_IN)
    return {"PYTHONPATH": str(tmp_path / "stand-in")}


@pytest.fixture
def running(tmp_path: Path, stand_in: dict[str, str]) -> Iterator[Daemon]:
    made = Daemon(tmp_path / "daemon", {"server": {"drain": 1}}, env=stand_in)
    try:
        made.start()
        yield made
    finally:
        made.kill()


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariants.problems_of, "__kwdefaults__", {"grace": 0.1})
