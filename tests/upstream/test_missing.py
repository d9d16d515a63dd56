"""Which answers mean that there is no such project, where the configuration has a say in it."""

from __future__ import annotations

from pypid.domain.errors import UpstreamBroken
from pypid.upstream.client import Absent, UpstreamClient
from pypid.upstream.exchange import Exchange
from pypid.upstream.hosts import Hosts
from tests.kit.dists import wheel
from tests.kit.upstream import Status
from tests.upstream.network import ASKING, LIMITS, ROOT, UpstreamTestCase, start

PAGE = "/simple/demo/"


class MissingStatusTests(UpstreamTestCase):
    def client_with(self, *missing_status: int) -> UpstreamClient:
        exchange = Exchange(self.agent, self.clock, Hosts(self.clock), ASKING, delay=lambda: 1)
        return UpstreamClient(exchange, self.clock, LIMITS, missing_status=missing_status)

    def test_403_is_no_absence_unless_the_configuration_says_so(self) -> None:
        """As with object stores, which say it of everything that they do not have."""
        self.index.add(wheel("demo"))
        self.index.script(PAGE, Status(403), times=2)
        asking = start(self.client_with().page(f"{ROOT}{PAGE}", etag=None, last_modified=None))
        self.failureResultOf(asking, UpstreamBroken)
        answer = self.successResultOf(start(self.client_with(403).page(f"{ROOT}{PAGE}", etag=None, last_modified=None)))
        self.assertEqual(answer, Absent(lasting=False, reason=""))
