"""B33: how many connections there may be, and that those there are do not notice the others."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from pypid.domain.trusted_proxies import TrustedProxies
from pypid.web.admission import Admission
from tests.web.test_channel import HEALTH
from tests.web.world import Peer, WebTestCase

HERE, THERE = IPv4Address("TCP", "192.0.2.1", 1), IPv4Address("TCP", "192.0.2.2", 1)
LIMIT = 3


class AdmissionTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.limit(LIMIT)

    def limit(self, connections: int, *proxies: str) -> None:
        trusted = TrustedProxies(proxies)
        self.current.value = replace(self.current.value, connections_per_address=connections, trusted_proxies=trusted)

    def is_served(self, peer: Peer) -> bool:
        before = len(peer.received)
        peer.send(HEALTH)
        return b" 200 OK" in peer.received[before:]

    def fill(self, address: IAddress) -> list[Peer]:
        peers = [self.connect(address) for _ in range(LIMIT)]
        self.assertTrue(all(self.is_served(peer) for peer in peers))
        return peers

    def test_one_address_has_so_many_and_others_have_theirs(self) -> None:
        peers = self.fill(HERE)
        for _ in range(9):
            self.assertTrue(self.connect(HERE).aborted)
        self.assertTrue(all(self.is_served(peer) for peer in [*peers, *self.fill(THERE)]))

    def test_who_leaves_makes_room(self) -> None:
        peers = self.fill(HERE)
        self.connect(HERE)
        for peer in peers:
            peer.leave()
            self.assertTrue(self.is_served(self.connect(HERE)))
            self.assertTrue(self.connect(HERE).aborted)

    def test_reload_changes_it_for_new_connections(self) -> None:
        peers = self.fill(HERE)
        self.limit(1)
        self.assertTrue(self.connect(HERE).aborted)
        self.assertTrue(all(self.is_served(peer) for peer in peers))
        self.limit(LIMIT + 1)
        self.assertTrue(self.is_served(self.connect(HERE)))

    def test_proxies_and_sockets_of_the_machine_have_many_clients(self) -> None:
        self.limit(LIMIT, "192.0.2.0/31")
        for address in (HERE, UNIXAddress(None)):
            self.fill(address)
            self.assertTrue(self.is_served(self.connect(address)))
        self.fill(THERE)
        self.assertTrue(self.connect(THERE).aborted)

    def test_proxy_that_is_none_any_more_leaves_no_count_behind(self) -> None:
        self.limit(LIMIT, "192.0.2.1")
        peers = self.fill(HERE)
        self.limit(LIMIT)
        for peer in peers:
            peer.leave()
        self.fill(HERE)
        self.assertTrue(self.connect(HERE).aborted)

    def test_stop_does_not_wait_for_who_was_not_admitted(self) -> None:
        peers = self.fill(HERE)
        self.connect(HERE)
        drained = self.site.drain(10)
        self.assertTrue(all(peer.closed for peer in peers))
        self.successResultOf(drained)


def test_all_together_have_a_limit_too() -> None:
    """Else there would be no descriptors left for their files."""
    admission = Admission(4)
    assert all(admission.enter(address, 3) for address in ("a", "a", "b", None))
    assert not any(admission.enter(address, 3) for address in ("a", "c", None))
    admission.leave("b")
    assert admission.enter(None, 3)
    assert not admission.enter("c", 3)
