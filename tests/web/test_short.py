"""What the name of an index, of a project, or both of them means as a URL."""

from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.errors import IndexNotFound
from pypid.web.short import ShortUrl, read_short_url

INDEXES = {"main", "pypi", "root", "root/pypi", "root/dev"}


class ShortUrlTests(SynchronousTestCase):
    def test_what_each_means(self) -> None:
        meanings: dict[str, tuple[str | None, str | None]] = {
            "demo": (None, "demo"),
            "Demo_Pkg": (None, "demo-pkg"),
            "main": ("main", None),
            "Main": (None, "main"),  # the names of indexes have one spelling
            "dev": (None, "dev"),
            "main/demo": ("main", "demo"),
            "main/Demo.Pkg": ("main", "demo-pkg"),
            "main/main": ("main", "main"),
            "root/pypi": ("root/pypi", None),  # and not the project pypi in root
            "root/demo": ("root", "demo"),
            "root/pypi/demo": ("root/pypi", "demo"),
            "root/pypi/pypi": ("root/pypi", "pypi"),
        }
        for path, (index, project) in meanings.items():
            self.assertEqual(read_short_url(path, INDEXES), ShortUrl(index, project), path)  # type: ignore[arg-type]

    def test_what_means_nothing_is_said_to_be_no_index(self) -> None:
        for path in (
            "favicon.ico",
            "robots.txt",
            "demo/1.0",
            "main/demo/1.0",
            "root/other/demo",
            "a/b/c",
            "demo-",
            "main/-demo",
            "a" * 300,
        ):
            self.assertRaises(IndexNotFound, read_short_url, path, INDEXES)
