"""E30: every route, every method, every kind of user, and an index that is private, public or not there."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum, auto

import bcrypt
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.htpasswd import parse_htpasswd
from pypid.domain.names import IndexName
from pypid.domain.rights import ANONYMOUS, Right, Rights, parse_grant
from pypid.domain.throttle import REFILL
from pypid.web.api.routes import ApiRoutes
from pypid.web.oidc import OidcRoutes
from pypid.web.routes import Routes
from pypid.web.snapshot import Snapshot
from tests.kit.dists import wheel
from tests.web.forms import fields_of, multipart
from tests.web.world import OWN, TWO, WebTestCase

PUBLIC, PRIVATE, UNKNOWN = OWN, TWO, IndexName("root/xxx")
DEMO = wheel("acme-demo")


class Asks(Enum):
    """What a route asks of whom it answers."""

    NOTHING = auto()
    """What it says is for everybody, or about what who asks may read."""
    LIST = auto()
    READ = auto()
    SIGNED_IN = auto()
    READ_SIGNED_IN = auto()
    UPLOAD = auto()
    DELETE = auto()
    ADMIN = auto()
    ADMIN_OF_ALL = auto()


ROWS = {
    "GET /": Asks.NOTHING,
    "GET /<short:path>/": Asks.NOTHING,
    "GET /-/health": Asks.NOTHING,
    "GET /-/api/v1/": Asks.NOTHING,
    "GET /-/api/v1/openapi.json": Asks.NOTHING,
    "GET /simple/": Asks.LIST,
    "GET /+simple/": Asks.LIST,
    "GET /<index:index>/simple/": Asks.LIST,
    "GET /<index:index>/+simple/": Asks.LIST,
    "GET /packages/": Asks.LIST,
    "GET /<index:index>/packages/": Asks.LIST,
    "GET /simple/<project:project>/": Asks.READ,
    "GET /+simple/<project:project>/": Asks.READ,
    "GET /<index:index>/simple/<project:project>/": Asks.READ,
    "GET /<index:index>/+simple/<project:project>/": Asks.READ,
    "GET /legacy/+simple/<project:project>/": Asks.READ,
    "GET /simple/+simple/<project:project>/": Asks.READ,
    "GET /pypi/+simple/<project:project>/": Asks.READ,
    "GET /<index:index>/legacy/+simple/<project:project>/": Asks.READ,
    "GET /<index:index>/pypi/+simple/<project:project>/": Asks.READ,
    "GET /files/<project:project>/<digest:digest>/<filename:filename>": Asks.READ,
    "GET /<index:index>/files/<project:project>/<digest:digest>/<filename:filename>": Asks.READ,
    "GET /packages/files/<project:project>/<digest:digest>/<filename:filename>": Asks.READ,
    "GET /files/<project:project>/<digest:digest>/<metadata:filename>": Asks.READ,
    "GET /<index:index>/files/<project:project>/<digest:digest>/<metadata:filename>": Asks.READ,
    "GET /packages/files/<project:project>/<digest:digest>/<metadata:filename>": Asks.READ,
    "GET /files/<project:project>/<digest:digest>/<provenance:filename>": Asks.READ,
    "GET /<index:index>/files/<project:project>/<digest:digest>/<provenance:filename>": Asks.READ,
    "GET /packages/files/<project:project>/<digest:digest>/<provenance:filename>": Asks.READ,
    "GET /files/<project:project>/<digest:digest>/<signature:filename>": Asks.READ,
    "GET /<index:index>/files/<project:project>/<digest:digest>/<signature:filename>": Asks.READ,
    "GET /packages/files/<project:project>/<digest:digest>/<signature:filename>": Asks.READ,
    "GET /pypi/<project:project>/json": Asks.READ,
    "GET /pypi/<project:project>/<version>/json": Asks.READ,
    "GET /<project:project>/json": Asks.READ,
    "POST /": Asks.UPLOAD,
    "POST /legacy/": Asks.UPLOAD,
    "POST /simple/": Asks.UPLOAD,
    "POST /pypi/": Asks.UPLOAD,
    "POST /<index:index>/": Asks.UPLOAD,
    "POST /<index:index>/legacy/": Asks.UPLOAD,
    "POST /<index:index>/pypi/": Asks.UPLOAD,
    "GET /_/oidc/audience": Asks.NOTHING,
    "POST /_/oidc/mint-token": Asks.NOTHING,
    "POST /_/oidc/github/mint-token": Asks.NOTHING,
    "POST /_/oidc/burn-token": Asks.NOTHING,
    "GET /-/api/v1/tokens": Asks.SIGNED_IN,
    "POST /-/api/v1/tokens": Asks.SIGNED_IN,
    "DELETE /-/api/v1/tokens/<token_id>": Asks.SIGNED_IN,
    "GET /-/api/v1/audit": Asks.ADMIN_OF_ALL,
    "GET /-/api/v1/retention/<index:index>": Asks.ADMIN,
    "POST /-/api/v1/retention/<index:index>": Asks.ADMIN,
    "GET {project}": Asks.READ_SIGNED_IN,
    "GET {project}/downloads": Asks.READ_SIGNED_IN,
    "PUT {project}/status": Asks.ADMIN,
    "DELETE {project}/status": Asks.ADMIN,
    "DELETE {project}": Asks.DELETE,
    "DELETE {project}/releases/<version>": Asks.DELETE,
    "DELETE {project}/files/<filename:filename>": Asks.DELETE,
    **{
        f"{method} {{project}}{part}/{mark}": asks
        for method in ("PUT", "DELETE")
        for part in ("", "/releases/<version>", "/files/<filename:filename>")
        for mark, asks in (("yank", Asks.UPLOAD), ("block", Asks.ADMIN))
    },
}
"""What is asked for by GET is asked for by HEAD alike."""

_PROJECT = "/-/api/v1/indexes/<index:index>/projects/<project:project>"
TABLE = {row.replace("{project}", _PROJECT): asks for row, asks in ROWS.items()}

GRANTS = {
    Right.READ: ["reader"],
    Right.UPLOAD: ["uploader acme-*", "other other-*"],
    Right.DELETE: ["deleter"],
    Right.ADMIN: ["admin"],
}
USERS = ("reader", "uploader", "other", "deleter", "admin", "stranger")
NOBODY, WRONG = "nobody", "wrong"

MAY = {
    Asks.NOTHING: {NOBODY, WRONG, *USERS},
    Asks.SIGNED_IN: set(USERS),
    Asks.LIST: {"reader", "uploader", "other", "deleter", "admin"},
    Asks.READ: {"reader", "uploader", "deleter", "admin"},
    Asks.READ_SIGNED_IN: {"reader", "uploader", "deleter", "admin"},
    Asks.UPLOAD: {"uploader", "admin"},
    Asks.DELETE: {"deleter", "admin"},
    Asks.ADMIN: {"admin"},
    Asks.ADMIN_OF_ALL: set[str](),
}
"""Of an index where nobody else has been granted anything."""

MAY_OF_PUBLIC = MAY | {
    Asks.LIST: {NOBODY, WRONG, *USERS},
    Asks.READ: {NOBODY, WRONG, *USERS},
    Asks.READ_SIGNED_IN: set(USERS),
}


def routes() -> Iterator[str]:
    """Yield each method and rule; the rule by which the one application is below the other has no methods."""
    for app, prefix in ((Routes.app, ""), (ApiRoutes.app, "/-/api"), (OidcRoutes.app, "/_/oidc")):
        for rule in app.url_map.iter_rules():
            for method in rule.methods or ():
                yield f"{method} {prefix}{rule.rule}"


class TableTests(SynchronousTestCase):
    def test_every_route_has_a_row(self) -> None:
        """And no row is of a route that is gone."""
        self.assertEqual({route.replace("HEAD ", "GET ") for route in routes()}, set(TABLE))


class MatrixTests(WebTestCase):
    users = parse_htpasswd(
        "\n".join(f"{user}:{bcrypt.hashpw(user.encode(), bcrypt.gensalt(4)).decode()}" for user in USERS)
    )
    rights = Rights(grants={right: [parse_grant(text) for text in texts] for right, texts in GRANTS.items()})

    def snapshot(self) -> Snapshot:
        """There is one more index that only others may read, so that nobody knows all there are."""
        before = super().snapshot()
        public = Rights(grants={**self.rights.grants, Right.READ: [parse_grant(ANONYMOUS)]})
        return replace(before, rights={PUBLIC: public, PRIVATE: self.rights}, default_index=PRIVATE)

    def setUp(self) -> None:
        super().setUp()
        content_type, self.body = multipart(fields_of(DEMO), DEMO)
        self.upload_headers = {"Content-Type": content_type}
        for index in (PUBLIC, PRIVATE):
            self.assertEqual(self.tell("uploader", f"POST /{index}/", with_file=True), (200, b""))

    def tell(self, who: str, asked: str, *, with_file: bool = False) -> tuple[int, bytes]:
        """Return how ``who`` is answered, and with what."""
        method, target = asked.split()
        user, password = ("reader", "guessed") if who == WRONG else (who, who)
        headers = {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}
        if who == WRONG:
            self.clock.advance(REFILL)
        peer = self.connect()
        given = ({} if who == NOBODY else headers) | (self.upload_headers if with_file else {})
        peer.ask(method, target, given, self.body if with_file else b"")
        self.flush()
        answer = peer.answer(method)
        peer.leave()
        if answer.status == 401:
            self.assertIn("Basic realm=", answer.headers["WWW-Authenticate"])
        if answer.status not in {401, 403}:
            return answer.status, b""
        said = "".join(f"{name}: {value}\n" for name, value in answer.headers.items() if name != "Date")
        return answer.status, f"{answer.reason}\n{said}\n".encode() + answer.body

    def targets(self, index: IndexName, project: str = DEMO.project) -> Iterator[tuple[str, Asks, str]]:
        """Yield each row, what it asks, and a request of that kind; of routes without an index only for that one."""
        values = {
            "project": project,
            "index": index,
            "version": DEMO.version,
            "digest": DEMO.sha256[:16],
            "filename:": f"{project.replace('-', '_')}-1.0-py3-none-any.whl",
            "short": project,
            "token_id": "000000000000",
        }
        values |= {
            f"{kind}:": values["filename:"] + suffix
            for kind, suffix in (("metadata", ".metadata"), ("provenance", ".provenance"), ("signature", ".asc"))
        }
        for route in sorted(routes()):
            row = route.replace("HEAD ", "GET ")

            def value_of(found: re.Match[str]) -> str:
                return values.get(f"{found[1]}:") or values[found[1]]

            asks = TABLE[row]
            if "<index:" in route or index == self.current.value.default_index or asks is Asks.NOTHING:
                yield row, asks, re.sub(r"<(\w+)(?::\w+)?>", value_of, route)

    def assert_answers(self, index: IndexName, may: dict[Asks, set[str]]) -> None:
        for row, asks, asked in self.targets(index):
            for who in (NOBODY, WRONG, *USERS):
                status, _ = self.tell(who, asked, with_file=row.startswith("POST") and "/-/" not in row)
                refusal = 401 if who in {NOBODY, WRONG} else 403
                if who in may[asks]:
                    self.assertNotIn(status, {401, 403, 429, 500}, (who, asked))
                else:
                    self.assertEqual(status, refusal, (who, asked))

    def test_private_index(self) -> None:
        """Also where its name is not in the URL, being the default."""
        self.assert_answers(PRIVATE, MAY)

    def test_public_index(self) -> None:
        self.current.value = replace(self.current.value, default_index=PUBLIC)
        self.assert_answers(PUBLIC, MAY_OF_PUBLIC)

    def test_index_that_is_not_there(self) -> None:
        """Nobody knows all of those that are there."""
        nobody: dict[Asks, set[str]] = {asks: set() for asks in Asks}
        self.assert_answers(UNKNOWN, nobody | {Asks.NOTHING: MAY[Asks.NOTHING]})

    def test_refusal_is_the_same_whether_there_is_such_a_thing_or_not(self) -> None:
        """E31: byte for byte, but for the names that were asked for."""
        for who in (NOBODY, WRONG, "stranger", "other"):
            of_index = zip(self.targets(PRIVATE), self.targets(PRIVATE, "acme-none"), strict=True)
            for (row, asks, there), (_, _, missing) in of_index:
                if asks in {Asks.NOTHING, Asks.SIGNED_IN}:
                    continue
                with_file = row.startswith("POST") and "/-/" not in row
                known = self.tell(who, there, with_file=with_file)
                self.assertIn(known[0], {401, 403, 200}, there)
                told = self.tell(who, missing, with_file=with_file)
                self.assertEqual(told[1].replace(b"acme-none", b"acme-demo"), known[1], (who, missing))
                if who == "other" or "<index:" not in row:
                    continue  # who may read some of it may know that it is there
                told = self.tell(who, there.replace(PRIVATE, UNKNOWN), with_file=with_file)
                named = told[1].replace(UNKNOWN.encode(), PRIVATE.encode())
                self.assertEqual((told[0], named), known, (who, there))
