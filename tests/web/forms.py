"""The bodies that uploaders send, and those that they should not."""

from __future__ import annotations

from collections.abc import Sequence

from tests.kit.dists import Dist

BOUNDARY = "--boundary--of-tests"

Fields = Sequence[tuple[str, str]]


def fields_of(dist: Dist, **changed: str | None) -> Fields:
    """Return what twine says of ``dist``, with some fields ``changed``; one that is None is left out."""
    fields: dict[str, str | None] = {
        ":action": "file_upload",
        "protocol_version": "1",
        "name": dist.project,
        "version": dist.version,
        "filetype": "bdist_wheel" if dist.filename.endswith(".whl") else "sdist",
        "sha256_digest": dist.sha256,
        **changed,
    }
    return [(name, value) for name, value in fields.items() if value is not None]


def multipart(
    fields: Fields,
    dist: Dist | None,
    *,
    filename: str | None = None,
    content_first: bool = False,
    content_type: str | None = "application/octet-stream",
) -> tuple[str, bytes]:
    """Return the Content-Type and the body of a form; ``content_type`` is that of the file's part."""
    texts = [part(f'name="{name}"', value.encode()) for name, value in fields]
    if dist is None:
        return form(*texts)
    disposition = f'name="content"; filename="{dist.filename if filename is None else filename}"'
    content = part(disposition, dist.content, content_type)
    return form(content, *texts) if content_first else form(*texts, content)


def part(disposition: str, content: bytes, content_type: str | None = None) -> bytes:
    typed = f"Content-Type: {content_type}\r\n" if content_type else ""
    return f"Content-Disposition: form-data; {disposition}\r\n{typed}\r\n".encode() + content


def form(*parts: bytes) -> tuple[str, bytes]:
    body = b"".join(b"--" + BOUNDARY.encode() + b"\r\n" + each + b"\r\n" for each in parts)
    return f"multipart/form-data; boundary={BOUNDARY}", body + b"--" + BOUNDARY.encode() + b"--\r\n"


def bare_lines(fields: Fields, content: bytes | None = None) -> tuple[str, bytes]:
    """Return the form as "register" of distutils writes it, whose lines end in LF alone; it has no ``content``."""
    texts = [f'name="{name}"\n\n{value}'.encode() for name, value in fields]
    if content is not None:
        texts.append(b'name="content"; filename="demo-1.0-py3-none-any.whl"\n\n' + content)
    separator = f"\n--{BOUNDARY}".encode()
    body = b"".join(separator + b"\nContent-Disposition: form-data; " + text for text in texts)
    return f"multipart/form-data; boundary={BOUNDARY}; charset=utf-8", body + separator + b"--\n"


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
