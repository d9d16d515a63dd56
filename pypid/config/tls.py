"""What [server] says of TLS must fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pypid.config.listen import below_tls
from pypid.config.settings import ServerConfig


def tls_problems(server: ServerConfig, where: Callable[[str], str]) -> Iterator[str]:
    """Yield what does not; ``where`` returns what a message calls a setting."""
    speaks_tls = any(below_tls(address) is not None for address in server.listen)
    if speaks_tls and not server.certificates:
        yield f"{where('listen')}: TLS needs a certificate: `pypid cert self-signed` makes one for `certificates`"
    if server.certificates and not speaks_tls:
        yield f"{where('certificates')}: no address in `listen` has TLS, as 'tls:8443' has"
    for key, value in (("private_keys", server.private_keys), ("client_ca", server.client_ca)):
        if value and not server.certificates:
            yield f"{where(key)}: there are no `certificates`"


def absolute(paths: tuple[Path, ...], directory: Path) -> tuple[Path, ...]:
    return tuple((directory / path).absolute() for path in paths)
