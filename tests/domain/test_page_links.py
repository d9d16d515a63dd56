"""Where the links of a page may lead: A37 and A39."""

from __future__ import annotations

import json

from pypid.domain import simple_html, simple_json
from pypid.domain.reach import AllowedHosts
from pypid.domain.simple_page import MAX_HOSTS, InvalidPage, ParsedPage
from tests.domain.readers import ReadersTestCase
from tests.domain.strategies import DEMO, URL
from tests.domain.upstream_pages import SHA256, entry, from_html, from_json, link

OWN = AllowedHosts([URL], ["files.test", "*.cdn.test"])
ELSEWHERE = "https://169.254.169.254/demo-2.0.tar.gz"


def parsed(*urls: str) -> ParsedPage:
    """Return what is left of a page that has its first version at the first of ``urls``, and so on."""
    entries = [entry(url=url, filename=f"demo-{n}.0.tar.gz") for n, url in enumerate(urls, 1)]
    return simple_json.parse_project(json.dumps({"files": entries}).encode(), url=URL, project=DEMO, allowed=OWN)


def filenames(page: ParsedPage) -> list[str]:
    return [file.filename for file in page.files]


class HostTests(ReadersTestCase):
    def test_a37_files_on_hosts_that_nobody_allowed_are_left_out(self) -> None:
        page = parsed("demo-1.0.tar.gz", ELSEWHERE, "https://files.test/x", "http://localhost:8080/x")
        self.assertEqual(filenames(page), ["demo-1.0.tar.gz", "demo-3.0.tar.gz"])
        self.assertEqual(page.refused_hosts, ("169.254.169.254", "localhost:8080"))
        self.assertIn("allow_hosts", page.dropped[0])
        self.assertEqual(page.versions, ("1.0", "3.0"))

    def test_a37_what_is_named_in_the_log_can_be_allowed(self) -> None:
        """The very text, as a pattern, whatever the port."""
        for url in (ELSEWHERE, "http://localhost:8080/x", "https://[::1]:8443/x", "https://files.example/x"):
            (host,) = parsed("demo-1.0.tar.gz", url).refused_hosts
            self.assertTrue(AllowedHosts([URL], [host]).allow(url), host)

    def test_a37_page_all_of_whose_files_are_elsewhere_is_no_empty_project(self) -> None:
        html = f'<a href="{ELSEWHERE}#sha256={SHA256}">demo</a>'.encode()
        with self.assertRaisesRegex(InvalidPage, "allow_hosts does not name: 169.254.169.254"):
            parsed(ELSEWHERE)
        with self.assertRaisesRegex(InvalidPage, "allow_hosts does not name: 169.254.169.254"):
            simple_html.parse_project(html, url=URL, project=DEMO, allowed=OWN)
        self.assertEqual(parsed().files, ())

    def test_a37_base_and_redirect_do_not_allow_themselves(self) -> None:
        head = '<base href="https://evil.test/">'
        for body, url in ((f"<html>{head}", URL), ("<html>", "https://evil.test/simple/demo/")):
            with self.assertRaisesRegex(InvalidPage, "evil.test"):
                simple_html.parse_project((body + link("demo-1.0.tar.gz")).encode(), url=url, project=DEMO, allowed=OWN)

    def test_a37_so_many_hosts_are_named_and_no_more(self) -> None:
        urls = [f"https://host-{n}.test/x" for n in range(100)]
        self.assertEqual(len(parsed("demo-1.0.tar.gz", *urls).refused_hosts), MAX_HOSTS)


class LinkTests(ReadersTestCase):
    def test_a39_what_is_no_plain_link_is_left_out(self) -> None:
        for url in (
            "file:///etc/passwd",
            "file://index.test/demo-1.0.tar.gz",
            "data:application/zip;base64,UEsF",
            "..\\..\\etc\\passwd",
            "https://index.test\\@evil.test/x",
            "/files/%2e%2e/%2e%2e/etc/passwd",
            "/files/%2E./x",
            "/files/..%2f..%2fx",
            "/files/..%5Cx",
            "/files/x%00",
            "/files/x%0d%0aX-Header:%20x",
            "/files/x\0",
            "/files/x\n",
        ):
            page = from_json(entry(url=url), entry(filename="demo-2.0.tar.gz", url="/x"))
            self.assertEqual(filenames(page), ["demo-2.0.tar.gz"], url)
            self.assertTrue(page.dropped[0].isprintable(), url)

    def test_a39_dots_lead_to_the_top_of_the_host_and_no_further(self) -> None:
        """Nexus and Artifactory link so."""
        for written, expected in (
            ("../../packages/demo/1.0/demo-1.0.tar.gz", "https://index.test/root/packages/demo/1.0/demo-1.0.tar.gz"),
            ("../../../../../../etc/demo-1.0.tar.gz", "https://index.test/etc/demo-1.0.tar.gz"),
        ):
            (file,) = from_json(entry(url=written)).files
            self.assertEqual(file.origin, expected)

    def test_a39_fragments_that_contradict_themselves(self) -> None:
        other = "cd" * 32
        for fragment in (f"sha256={SHA256}&sha256={other}", f"sha256={SHA256}#sha256={other}", "sha256=x&sha256=y"):
            self.assertEqual(from_html(f'<a href="demo-1.0.tar.gz#{fragment}">').files, (), fragment)
        (file,) = from_html(f'<a href="demo-1.0.tar.gz#sha256={SHA256}&amp;md5={"0" * 31}">').files
        self.assertEqual(file.sha256, SHA256)
