"""
An issuer of identity tokens, as GitHub's: keys of its own, what it signs with them, and where both are to be had.

    issuer = Issuer("https://issuer.test")
    token = issuer.token(audience="pypid", repository="acme/app")       # as a job gets it
    token = issuer.token(audience="pypid", exp=0, header={"alg": "none"})  # anything can be said wrongly

Signs with cryptography alone, so that nothing of what is tested is also what tests it.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

REQUEST_TOKEN = "job-secret"
"""With which a job asks for an identity token."""


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int, length: int | None = None) -> str:
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8))


class RsaKey:
    """For RS256."""

    algorithm = "RS256"

    def __init__(self, key_id: str = "rsa", bits: int = 2048) -> None:
        self.key_id = key_id
        self._key = rsa.generate_private_key(65537, bits)

    @property
    def jwk(self) -> dict[str, str]:
        numbers = self._key.public_key().public_numbers()
        public = {"n": _number(numbers.n), "e": _number(numbers.e)}
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id, **public}

    @property
    def public_pem(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class EcKey:
    """For ES256, or what is none on another curve."""

    algorithm = "ES256"

    def __init__(self, key_id: str = "ec", curve: Callable[[], ec.EllipticCurve] = ec.SECP256R1) -> None:
        self.key_id = key_id
        self._key = ec.generate_private_key(curve())
        self._length = (self._key.key_size + 7) // 8

    @property
    def jwk(self) -> dict[str, str]:
        numbers = self._key.public_key().public_numbers()
        curve = {"secp256r1": "P-256", "secp384r1": "P-384"}[self._key.curve.name]
        point = {"x": _number(numbers.x, self._length), "y": _number(numbers.y, self._length)}
        return {"kty": "EC", "crv": curve, "kid": self.key_id, **point}

    def sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(self._length) + s.to_bytes(self._length)


class EdKey:
    """For EdDSA."""

    algorithm = "EdDSA"

    def __init__(self, key_id: str = "ed") -> None:
        self.key_id = key_id
        self._key = ed25519.Ed25519PrivateKey.generate()

    @property
    def jwk(self) -> dict[str, str]:
        return {"kty": "OKP", "crv": "Ed25519", "kid": self.key_id, "x": b64(self._key.public_key().public_bytes_raw())}

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


SigningKey = RsaKey | EcKey | EdKey

GITHUB_CLAIMS: Mapping[str, object] = {
    "sub": "repo:acme/app:environment:release",
    "repository": "acme/app",
    "repository_id": "1234",
    "repository_owner": "acme",
    "repository_owner_id": "99",
    "ref": "refs/tags/v1.0",
    "ref_type": "tag",
    "environment": "release",
    "job_workflow_ref": "acme/app/.github/workflows/release.yml@refs/tags/v1.0",
    "sha": "ab" * 20,
    "run_id": "42",
}
"""What GitHub says of a job."""


class Issuer:
    """Says what it is told to."""

    def __init__(
        self, url: str, keys: Sequence[SigningKey] | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self.url = url
        self.keys: list[SigningKey] = [RsaKey()] if keys is None else list(keys)
        self._now = now

    @property
    def jwks(self) -> bytes:
        return json.dumps({"keys": [key.jwk for key in self.keys]}).encode()

    @property
    def configuration(self) -> bytes:
        return json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode()

    def claims(self, audience: str, **changed: Any) -> dict[str, object]:
        """Return GitHub's claims, some ``changed``, None being left out."""
        now = int(self._now())
        times = {"iat": now, "nbf": now - 60, "exp": now + 300}
        claims = {"iss": self.url, "aud": audience, "jti": str(uuid4()), **times, **GITHUB_CLAIMS, **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self,
        audience: str = "pypid",
        *,
        key: SigningKey | None = None,
        header: Mapping[str, object] | None = None,
        **changed: Any,
    ) -> str:
        """Return a token that is signed with ``key``, the first one if None."""
        key = key or self.keys[0]
        said = {"typ": "JWT", "alg": key.algorithm, "kid": key.key_id, **(header or {})}
        return signed(said, self.claims(audience, **changed), key.sign)


def signed(header: Mapping[str, object], claims: object, sign: Callable[[bytes], bytes]) -> str:
    text = ".".join(b64(json.dumps(part).encode()) for part in (dict(header), claims))
    return f"{text}.{b64(sign(text.encode()))}"


class RunningIssuer(Issuer):
    """
    One that listens on localhost: its keys over TLS, and a token for each job that asks as GitHub's do.

    ``with RunningIssuer(context) as issuer:`` with the context of a `Certificate`.
    """

    def __init__(self, tls: ssl.SSLContext, keys: Sequence[SigningKey] | None = None) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        super().__init__(f"https://localhost:{self._server.server_address[1]}", keys)
        self.asked: list[str] = []
        """What it was asked for, without queries."""
        self.changed: dict[str, Any] = {}
        """What is different from GitHub's claims in the tokens that jobs get."""
        self.given: list[str] = []
        """The tokens that jobs got."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def job(self) -> dict[str, str]:
        """The environment of a job that may have identity tokens."""
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(issuer: RunningIssuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            issuer.asked.append(url.path)
            status, content = self._answer(url.path, parse_qs(url.query))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _answer(self, path: str, query: Mapping[str, list[str]]) -> tuple[int, bytes]:
            if path == "/.well-known/openid-configuration":
                return 200, issuer.configuration
            if path == "/keys":
                return 200, issuer.jwks
            if path == "/token" and (self.headers["Authorization"] or "").lower() == f"bearer {REQUEST_TOKEN}":
                (audience,) = query["audience"]
                token = issuer.token(audience, **issuer.changed)
                issuer.given.append(token)
                return 200, json.dumps({"value": token}).encode()
            return 404, b"{}"

    return Handler
