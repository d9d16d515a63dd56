"""What a mirror does with files on hosts that nobody has allowed (A37)."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from pypid.domain.errors import UpstreamBroken
from pypid.domain.files import ProjectPage
from pypid.indexes.held import PageMemory, page_memory
from pypid.indexes.pages import MirroredPages
from tests.indexes.stores import DEMO, StoresTestCase
from tests.kit.dists import wheel
from tests.upstream.network import start

ELSEWHERE = "http://files.elsewhere.test/demo-2.0-py3-none-any.whl"


class AllowedHostsTests(StoresTestCase):
    def get(self, *allow_hosts: str, memory: PageMemory | None = None) -> Deferred[ProjectPage]:
        return start(MirroredPages(self.mirroring(allow_hosts=allow_hosts, memory=memory)).get(DEMO))

    def versions(self, *allow_hosts: str, memory: PageMemory | None = None) -> tuple[str, ...]:
        return tuple(
            file.filename.split("-")[1] for file in self.successResultOf(self.get(*allow_hosts, memory=memory)).files
        )

    def test_a37_files_elsewhere_are_left_out_until_their_host_is_named(self) -> None:
        """A reload that names it shows them at once, though the page is fresh."""
        self.index.add(wheel("demo"))
        self.index.add(wheel("demo", "2.0"), url=ELSEWHERE)
        memory = page_memory(2**20)
        self.assertEqual(self.versions(memory=memory), ("1.0",))
        self.assertEqual(self.versions("files.elsewhere.test", memory=memory), ("1.0", "2.0"))
        self.assertEqual(self.versions("*.elsewhere.test", memory=memory), ("1.0", "2.0"))
        self.assertEqual(self.versions(memory=memory), ("1.0",))
        self.assertEqual(self.index.count(), 1)

    def test_a37_provenance_elsewhere_is_named_and_not_fetched(self) -> None:
        """Clients may fetch it themselves; a file that has some must not look as if it had none."""
        url = "https://provenance.elsewhere.test/demo"
        self.index.add(wheel("demo"), provenance=url)
        mirroring = self.mirroring(allow_hosts=())
        mirror = self.mirror(mirroring=mirroring)
        (file,) = self.successResultOf(start(mirror.project_page(DEMO))).files
        self.assertEqual(file.provenance, url)
        asking = start(mirror.provenance(DEMO, file.filename, file.digest_prefix))
        self.assertIn("allow_hosts", str(self.failureResultOf(asking, UpstreamBroken).value))
        self.assertEqual(self.index.count(), 1)

    def test_a37_project_all_of_whose_files_are_elsewhere_is_an_error_that_says_what_to_do(self) -> None:
        self.index.add(wheel("demo", "2.0"), url=ELSEWHERE)
        why = str(self.failureResultOf(self.get(), UpstreamBroken).value)
        self.assertIn("files.elsewhere.test", why)
        self.assertIn("allow_hosts", why)
        self.assertEqual(self.versions("files.elsewhere.test"), ("2.0",))
