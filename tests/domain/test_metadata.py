"""The METADATA of mirrored wheels."""

from __future__ import annotations

import io
import random
import zipfile
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from pypid.domain import metadata as module
from pypid.domain.filenames import parse_filename
from pypid.domain.metadata import NoMetadata, metadata_or_part
from pypid.domain.partial import PartialFile
from tests.kit.dists import sdist, wheel

DEMO = parse_filename("demo_pkg-1.0-py3-none-any.whl")
METADATA = b"Metadata-Version: 2.1\nName: Demo.Pkg\nVersion: 1.0\n\n# Demo\n"
PATH = "demo_pkg-1.0.dist-info/METADATA"
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def archive(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as written:
        for path, content in members:
            # ZipInfo's default date: equal arguments give equal bytes.
            info = zipfile.ZipInfo(path)
            info.compress_type = compression
            written.writestr(info, content)
    return buffer.getvalue()


def read(content: bytes) -> bytes:
    """The METADATA of a wheel all of which is known."""
    known = PartialFile(len(content))
    known.learn(0, content)
    metadata = metadata_or_part(known, DEMO)
    assert isinstance(metadata, bytes)
    return metadata


class WheelTests(SynchronousTestCase):
    def assert_refused(self, content: bytes, why: str) -> None:
        with self.assertRaises(NoMetadata) as raised:
            read(content)
        problem = str(raised.exception)
        self.assertIn(why, problem)
        self.assertLess(len(problem), 600)

    def test_as_it_is(self) -> None:
        """Installers get the very bytes that are in the wheel, and so can check them."""
        demo = wheel("Demo.Pkg", "1.0", requires=["other>=2"], requires_python=">=3.9", summary="caf\u00e9")
        self.assertEqual(read(demo.content), demo.metadata)

    def test_every_compression(self) -> None:
        for compression in COMPRESSIONS:
            self.assertEqual(read(archive((PATH, METADATA), compression=compression)), METADATA)

    def test_other_spellings(self) -> None:
        """Old build tools do not normalize the directory's name."""
        for path in ("Demo.Pkg-1.0.dist-info/METADATA", "demo_pkg-1.0.0.dist-info/METADATA"):
            self.assertEqual(read(archive((path, METADATA))), METADATA, path)

    def test_vendored(self) -> None:
        """METADATA of other projects, or deeper inside, is not the wheel's own."""
        others = [("x/" + PATH, b"x"), ("other-1.0.dist-info/METADATA", b"x"), (PATH + ".txt", b"x")]
        self.assertEqual(read(archive(*others, (PATH, METADATA))), METADATA)
        self.assert_refused(archive(*others), "0 METADATA files")

    def test_two(self) -> None:
        """Which of two would count depends on the reader."""
        self.assert_refused(
            archive((PATH, METADATA), ("Demo.Pkg-1.0.dist-info/METADATA", METADATA)), "2 METADATA files"
        )

    def test_enormous_version(self) -> None:
        """A version with more digits than int() reads is the wheel's problem, not the server's."""
        beside = f"demo_pkg-{'9' * 5000}.dist-info/METADATA"
        self.assertEqual(read(archive((beside, b"x"), (PATH, METADATA))), METADATA)

    def test_no_archive(self) -> None:
        for content in (b"", b"PK", b"<html>404</html>", sdist("demo-pkg", "1.0").content):
            self.assert_refused(content, "cannot be read as a wheel")

    def test_cut_off(self) -> None:
        """Half a wheel is no wheel, wherever it ends."""
        content = archive((PATH, METADATA))
        for length in range(len(content)):
            self.assert_refused(content[:length], "cannot be read as a wheel")

    def test_damaged(self) -> None:
        """A damaged archive is refused or read right; it is never an error of the server's."""
        source = random.Random(0)
        refused = 0
        for compression in COMPRESSIONS:
            whole = archive((PATH, METADATA), compression=compression)
            for _ in range(400):
                content = bytearray(whole)
                for _ in range(source.randrange(1, 4)):
                    content[source.randrange(len(content))] = source.randrange(256)
                try:
                    metadata = read(bytes(content))
                except NoMetadata:
                    refused += 1
                else:
                    self.assertEqual(metadata, METADATA, "what is read has been checked")
        self.assertGreater(refused, 1000)

    def test_encrypted(self) -> None:
        content = bytearray(archive((PATH, METADATA)))
        for header, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            content[content.index(header) + flags] |= 1
        self.assert_refused(bytes(content), "encrypted")

    def test_bomb(self) -> None:
        """METADATA that would unpack to gigabytes is read no further than the limit."""
        with patch.object(module, "MAX_METADATA", 1000):
            self.assertEqual(len(read(archive((PATH, METADATA.ljust(1000))))), 1000)
            self.assert_refused(archive((PATH, METADATA.ljust(1001))), "longer than 1000 bytes")

    def test_many_entries(self) -> None:
        with patch.object(module, "MAX_ENTRIES", 2):
            self.assert_refused(archive((PATH, METADATA), ("a", b""), ("b", b"")), "more than 2 files")
