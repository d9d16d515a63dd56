"""What a hostile upstream puts in any field comes out escaped and valid, or is dropped."""

from __future__ import annotations

from html import escape

from pypid.domain import simple_html, simple_json
from pypid.domain.files import DistributionFile
from pypid.domain.simple_page import (
    InvalidPage,
)
from tests.domain.readers import ReadersTestCase
from tests.domain.strategies import page_of
from tests.domain.upstream_pages import MARKUP, SHA256, entry, from_html, from_json, link

OTHER = "cd" * 32


class FilenameTests(ReadersTestCase):
    def test_a40_only_wheels_and_sdists_of_the_project(self) -> None:
        for filename in (
            "other-1.0.tar.gz",
            "demo_other-1.0-py3-none-any.whl",
            "demo-1.0-py3-none-any.whl.exe",
            "demo-1.0.exe",
            "demo-1.0.tar.gz.asc",
            "demo-one.tar.gz",
            "demo-1.0-py3-none.whl",
            f"demo-1.0+{'a' * 300}.tar.gz",
            f"demo-{'9' * 5000}.tar.gz",
            f"demo-1.0-py3-none-{'.'.join('ab' * 130)}.whl",
            "demo-1.0\x00.tar.gz",
            "demo-1.0\n.tar.gz",
            "demo-1.0\x7f.tar.gz",
            "demo-1.0\u202ezg.rat",
            "demo-1.0\u2066.tar.gz",
            "d\u0435mo-1.0.tar.gz",
            "\uff44emo-1.0.tar.gz",
            "demo\u2010-1.0.tar.gz",
            "demo-\u0661.0.tar.gz",
            "../demo-1.0.tar.gz",
            "..\\demo-1.0.tar.gz",
            "/etc/passwd",
            " demo-1.0.tar.gz",
            "demo-1.0.tar.gz ",
            "",
            ".",
            "..",
        ):
            page = from_json(entry(filename=filename), entry(filename="demo-2.0.tar.gz"))
            self.assertEqual([file.filename for file in page.files], ["demo-2.0.tar.gz"], filename)
            self.assertEqual(page.versions, ("2.0",), filename)
            (line,) = page.dropped
            self.assertTrue(line.isprintable() and len(line) < 1000, line)

    def test_a40_filenames_of_links(self) -> None:
        """As they are, and percent-encoded; a lone surrogate is never one."""
        for filename in (
            "other-1.0.tar.gz",
            "demo-1.0.exe",
            "d\u0435mo-1.0.tar.gz",
            "demo-1.0\u202ezg.rat",
            "demo-1.0\x00.tar.gz",
        ):
            for written in (filename, "".join(f"%{byte:02x}" for byte in filename.encode())):
                page = from_html(link(written), link("demo-2.0.tar.gz"))
                self.assertEqual([file.filename for file in page.files], ["demo-2.0.tar.gz"], written)
        self.assertEqual(from_html(link("demo-1.0%ED%A0%80.tar.gz"), link("demo-&#xD800;.tar.gz")).files, ())

    def test_a40_other_spellings_of_the_project_are_its_own(self) -> None:
        """Sdists of old tools are not normalized; they are served under the name that they have."""
        for filename in ("Demo-1.0.tar.gz", "DEMO-1.0.zip", "demo-1.0.0.tar.gz", "demo-1.0-1-py2.py3-none-any.whl"):
            page = from_json(entry(filename=filename))
            self.assertEqual([file.filename for file in page.files], [filename], page.dropped)
            self.assert_fit(page)

    def test_a45_markup_in_a_legal_filename(self) -> None:
        """A wheel's tags may hold nearly anything."""
        page = from_json(entry(filename='demo-1.0-py3-none-"><script>.whl', url="x"))
        self.assertEqual(len(page.files), 1, page.dropped)
        self.assert_fit(page)


class DigestTests(ReadersTestCase):
    def test_a41_two_entries_that_disagree_are_both_dropped(self) -> None:
        good = "demo-2.0.tar.gz"
        for page in (
            from_json(entry(), entry(hashes={"sha256": OTHER}), entry(), entry(filename=good)),
            from_html(link("demo-1.0.tar.gz"), link("demo-1.0.tar.gz", OTHER), link("demo-1.0.tar.gz"), link(good)),
        ):
            self.assertEqual([file.filename for file in page.files], [good])
            self.assertEqual(page.versions, ("2.0",))

    def test_a41_other_algorithms(self) -> None:
        """A file without a sha256 is offered unverified, with the strongest of what else upstream says of it."""
        for hashes, other in (
            ({}, None),
            ({"sha256": ""}, None),
            ({"SHA256": SHA256}, None),
            ({"crc32": "00" * 4}, None),
            ({"md5": "0A" * 16}, "md5=" + "0a" * 16),
            ({"md5": "00" * 16, "sha1": "11" * 20, "sha512": "22" * 64}, "sha512=" + "22" * 64),
            ({"blake2b": "33" * 64}, "blake2b=" + "33" * 64),
        ):
            fragment = "&".join(f"{name}={digest}" for name, digest in hashes.items())
            for page in (from_json(entry(hashes=hashes)), from_html(f'<a href="demo-1.0.tar.gz#{fragment}">')):
                (file,) = page.files
                self.assertEqual((file.sha256, file.verified), (None, False), hashes)
                self.assertEqual(None if file.other_digest is None else str(file.other_digest), other, hashes)

    def test_a41_digests_cut_short(self) -> None:
        """A claim that cannot be right is worse than none: whatever else is said, the file is left out."""
        for hashes in (
            {"md5": "00" * 15},
            {"md5": "zz" * 16},
            {"sha512": SHA256},
            {"sha256": SHA256[:-1]},
            {"sha256": SHA256[:-1], "md5": "00" * 16},
            {"sha256": f"{SHA256}a"},
            {"sha256": f"{SHA256}\n"},
            {"sha256": "\uff10" * 64},
            {"sha256": f"sha256={SHA256}"},
        ):
            self.assertEqual(from_json(entry(hashes=hashes)).files, (), hashes)
        for fragment in (f"#md5={SHA256}", f"#sha256={SHA256[:-1]}", f"#md5={'0' * 32}&md5={'1' * 32}"):
            self.assertEqual(from_html(f'<a href="demo-1.0.tar.gz{fragment}">').files, (), fragment)

    def test_a41_upper_case_is_the_same_digest(self) -> None:
        for page in (
            from_json(entry(hashes={"sha256": SHA256.upper()}), entry()),
            from_html(link("demo-1.0.tar.gz", SHA256.upper()), link("demo-1.0.tar.gz")),
        ):
            self.assertEqual([file.sha256 for file in page.files], [SHA256])


class VersionTests(ReadersTestCase):
    def test_a47_only_version_1_is_read(self) -> None:
        """A newer minor version, and junk behind the point, is version 1; anything else is not."""
        for version in ("1", "1.0", "1.5", "1.999999999999", "1.x", f"1.{'9' * 5000}"):
            head = f'<meta name="pypi:repository-version" content="{version}">'
            for page in (
                from_json(entry(), meta={"api-version": version}),
                from_html(link("demo-1.0.tar.gz"), head=head),
            ):
                self.assertEqual(len(page.files), 1, version)
                self.assert_fit(page)
        for version in (
            "2.0",
            "2",
            "10.0",
            "0.9",
            "-1.0",
            "1x",
            "v1.0",
            "\uff11.0",
            "\u0661.0",
            "1\u066b0",
            "x",
            "",
            "NaN",
            "9" * 5000,
            MARKUP,
        ):
            with self.assertRaises(InvalidPage, msg=version) as raised:
                from_json(entry(), meta={"api-version": version})
            self.assertLess(len(str(raised.exception)), 500)
            with self.assertRaises(InvalidPage, msg=version):
                from_html(head=f'<meta name="pypi:repository-version" content="{escape(version)}">')

    def test_a47_keys_of_a_newer_version_are_not_handed_on(self) -> None:
        page = from_json(entry(signature="new"), meta={"api-version": "1.9", "news": 1}, news={"x": [None]})
        self.assertEqual(len(page.files), 1)
        self.assertNotIn(b"new", simple_json.render_project(page_of(*page.files)))


class OriginTests(ReadersTestCase):
    def test_nothing_of_the_origin_is_shown(self) -> None:
        page = page_of(DistributionFile(filename="demo-1.0.tar.gz", sha256=SHA256, origin="https://secret.test/x"))
        for body in (simple_json.render_project(page), simple_html.render_project(page)):
            self.assertNotIn(b"secret", body)
