"""Reading an upstream's project list piece by piece: it is too long to be held as a document."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from io import BytesIO

from pypid.domain.list_scanners import HtmlScanner, JsonScanner, Scanner
from pypid.domain.names import InvalidName, normalize_name
from pypid.domain.project_list import ProjectList, list_of, merged
from pypid.domain.simple_page import InvalidPage

MAX_LIST = 512 * 2**20
"""Bytes of the document, decompressed: ten times PyPI's, which has 50 to 60 MB for a million projects."""

MAX_NAMES = 5_000_000
"""Five times PyPI's."""

PIECE = 64 * 1024
"""Bytes that are read at once: some ten milliseconds, after which another thread gets its turn."""

RUN = 10_000
"""Names that are sorted at once, for the same reason."""


class ListReader:
    """
    Takes the bytes of a project list as they come, and keeps the names that it has.

    `feed` and `finish` take a while and raise `InvalidPage`.
    """

    def __init__(self, content_type: str, encoding: str, *, limit: int = MAX_LIST) -> None:
        if encoding not in {"identity", "gzip", "x-gzip"}:
            raise InvalidPage(f"its content coding is {encoding!r}")
        self._inflater = None if encoding == "identity" else zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        is_json = content_type.endswith("+json")
        # In HTML, wrong bytes can only spoil the name that they are in.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict" if is_json else "replace")
        self._scanner: Scanner = JsonScanner() if is_json else HtmlScanner()
        self._limit = self._left = limit
        self._names = _Names()

    def feed(self, data: bytes) -> None:
        for plain in self._inflated(data) if self._inflater is not None else _pieces(data):
            self._left -= len(plain)
            if self._left < 0:
                raise InvalidPage(f"it has more than {self._limit} bytes")
            self._scan(plain)

    def finish(self) -> ProjectList:
        """Return the list, of which all has been fed."""
        if self._inflater is not None and not self._inflater.eof:
            raise InvalidPage("its gzip coding is cut off")
        self._scan(b"", final=True)
        self._scanner.finish()
        return self._names.finish()

    def _inflated(self, data: bytes) -> Iterator[bytes]:
        inflater = self._inflater
        assert inflater is not None
        while data and not inflater.eof:
            try:
                yield inflater.decompress(data, PIECE)
            except zlib.error as e:
                raise InvalidPage(f"its gzip coding is damaged: {e}") from e
            data = inflater.unconsumed_tail

    def _scan(self, plain: bytes, *, final: bool = False) -> None:
        try:
            text = self._decoder.decode(plain, final)
        except UnicodeDecodeError as e:
            raise InvalidPage(f"not a project list in JSON: {e}") from e
        for name in self._scanner.feed(text):
            self._names.add(name)


class _Names:
    """Normalizes and collects names, in no order, and sorts them a run at a time."""

    def __init__(self) -> None:
        self._run: set[str] = set()
        self._runs: list[bytes] = []

    def add(self, name: str) -> None:
        try:
            self._run.add(normalize_name(name))
        except InvalidName:
            return
        if len(self._run) >= RUN:
            self._end_run()

    def finish(self) -> ProjectList:
        self._end_run()
        whole = BytesIO()
        whole.writelines(merged(self._runs))
        return list_of(whole.getvalue())

    def _end_run(self) -> None:
        self._runs.append("".join(f"{name}\n" for name in sorted(self._run)).encode("ascii"))
        self._run.clear()
        if len(self._runs) * RUN > MAX_NAMES:
            raise InvalidPage(f"it has more than {MAX_NAMES} names")


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[start : start + PIECE] for start in range(0, len(data), PIECE))
