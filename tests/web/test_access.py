"""What those see, and are told, who may not read everything."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace

import bcrypt

from pypid.domain.htpasswd import parse_htpasswd
from pypid.domain.names import IndexName
from pypid.domain.rights import Right, Rights, parse_grant
from pypid.domain.throttle import GUESSES, REFILL
from pypid.domain.upload_rules import UploadRules
from pypid.web.snapshot import Snapshot
from tests.indexes.stores import MIRROR
from tests.kit.dists import Dist, wheel
from tests.web.forms import fields_of, multipart
from tests.web.world import MAIN, OWN, TWO, Answer, WebTestCase

SIMPLE_JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}
SEARCH = b"""<methodCall><methodName>search</methodName><params><param><value><struct><member><name>name</name>
<value><string>o</string></value></member></struct></value></param></params></methodCall>"""


def basic(user: str, password: str | None = None) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password or user}".encode()).decode()}


BOB, CAROL, DAVE = basic("bob"), basic("carol"), basic("dave")


def rights(**grants: Sequence[str]) -> Rights:
    return Rights(grants={Right(right): [parse_grant(text) for text in texts] for right, texts in grants.items()})


class AccessTestCase(WebTestCase):
    """carol may do everything in "own", bob read acme-one there; "main" is public; "root/dev" is dave's."""

    users = parse_htpasswd(
        "\n".join(
            f"{user}:{bcrypt.hashpw(user.encode(), bcrypt.gensalt(4)).decode()}" for user in ("bob", "carol", "dave")
        )
    )

    def snapshot(self) -> Snapshot:
        given = {
            MAIN: rights(read=["anonymous"], upload=["carol"]),
            MIRROR: rights(),
            OWN: rights(read=["bob acme-one"], admin=["carol"]),
            TWO: rights(admin=["dave"]),
        }
        return replace(super().snapshot(), rights=given)

    def setUp(self) -> None:
        super().setUp()
        self.one, self.other = wheel("acme-one"), wheel("acme-other")
        for dist in (self.one, self.other):
            self.assertEqual(self.upload_of(dist, "/own/").status, 200)

    def upload_of(self, dist: Dist, target: str, who: Mapping[str, str] = CAROL) -> Answer:
        content_type, body = multipart(fields_of(dist), dist)
        return self.ask("POST", target, {**who, "Content-Type": content_type}, body)

    def grant(self, index: IndexName, given: Rights) -> None:
        """As a reload does."""
        before = self.current.value
        self.current.value = replace(before, rights={**before.rights, index: given})

    def names(self, who: Mapping[str, str], target: str = "/own/simple/") -> list[str]:
        return [each["name"] for each in json.loads(self.get(target, {**SIMPLE_JSON, **who}).body)["projects"]]

    def url(self, index: str) -> str:
        return f"/{index}/files/acme-one/{self.one.sha256[:16]}/{self.one.filename}"


class ListsTests(AccessTestCase):
    """E33."""

    def test_lists_have_what_who_asks_may_read(self) -> None:
        self.assertEqual(self.names(BOB), ["acme-one"])
        self.assertEqual(self.names(CAROL), ["acme-one", "acme-other"])
        self.assertEqual(self.get("/own/simple/", DAVE).status, 403)
        for who, seen in ((BOB, {"one"}), (CAROL, {"one", "other"})):
            files = self.get("/own/packages/", who).text
            self.assertEqual(set(re.findall(r">acme_(\w+)-1.0", files)), seen)
            found = self.ask("POST", "/own/pypi/", {**who, "Content-Type": "text/xml"}, SEARCH)
            self.assertEqual(set(re.findall(r"acme-(\w+)<", found.text)), seen)

    def test_list_is_of_the_rights_of_now(self) -> None:
        """E36, D05: what was rendered for the same user before a reload is sent to nobody after it."""
        for who in (BOB, CAROL):
            before = self.get("/own/packages/", who)
            self.grant(OWN, rights(read=["bob acme-other", "carol acme-other"]))
            files = self.get("/own/packages/", {**who, "If-None-Match": before.headers["ETag"]})
            self.assertEqual(re.findall(r">acme_(\w+)-1.0", files.text), ["other"])
            self.assertEqual(self.names(who), ["acme-other"])
            self.grant(OWN, rights(read=["bob acme-one"], admin=["carol"]))

    def test_api_lists_the_indexes_of_who_asks(self) -> None:
        for who, seen in ((CAROL, ["main", "own"]), (DAVE, ["main", "root/dev"]), ({}, ["main"])):
            told = json.loads(self.get("/-/api/v1/", who).body)
            self.assertEqual([index["name"] for index in told["indexes"]], seen)
            self.assertEqual(told["default_index"], "main")
        self.current.value = replace(self.current.value, default_index=TWO)
        self.assertIsNone(json.loads(self.get("/-/api/v1/", CAROL).body)["default_index"])

    def test_who_reads_an_index_reads_what_it_shows_of_its_bases(self) -> None:
        self.index.add(wheel("upstream-demo"))
        self.assertEqual(self.get("/main/simple/upstream-demo/").status, 200)
        self.assertEqual(self.get("/root/pypi/simple/upstream-demo/").status, 401)
        self.assertEqual(self.get("/root/pypi/simple/upstream-demo/", CAROL).status, 403)


class SecretsTests(AccessTestCase):
    """E31: beside the matrix of all routes."""

    def test_refused_audit_names_no_index(self) -> None:
        for who in (BOB, CAROL, DAVE):
            answer = self.get("/-/api/v1/audit", who)
            self.assertEqual((answer.status, re.findall("own|root", answer.text)), (403, []))

    def test_url_to_upload_to_is_of_no_secret_index(self) -> None:
        hosted = {OWN: UploadRules()}
        self.current.value = replace(self.current.value, default_index=MIRROR, hosted=hosted)
        self.grant(MIRROR, rights(admin=["carol", "dave"]))
        self.assertIn("http://pypid.test/own/", self.ask("POST", "/root/pypi/", CAROL, b"x").text)
        self.assertNotIn("own", self.ask("POST", "/root/pypi/", DAVE, b"x").text)
        self.assertNotIn("own", self.ask("POST", "/no/such/thing/at/all", body=b"x").text)

    def test_short_url_of_a_secret_index_is_taken_for_a_project(self) -> None:
        """As any other name is, for those who do not see the index."""
        for who in ({}, DAVE, basic("carol", "wrong")):
            for name in ("own", "nope"):
                answer = self.get(f"/{name}/", {"Accept": "text/html", **who})
                self.assertEqual((answer.status, answer.headers["Location"]), (302, f"../simple/{name}/"))
        self.assertEqual(self.get("/own/", CAROL).status, 200)
        self.assertEqual(self.get("/main/").status, 200)

    def test_short_url_below_a_secret_index_is_refused(self) -> None:
        for who, status in (({}, 401), (basic("carol", "wrong"), 401), (DAVE, 403), (CAROL, 302)):
            answers = {name: self.get(f"/{name}/acme-one/", who) for name in ("own", "nope")}
            self.assertEqual(answers["own"].status, status)
            if who is not CAROL:
                self.assertEqual(answers["nope"].status, status)
                self.assertEqual(answers["nope"].text.replace("nope", "own"), answers["own"].text)
        self.assertEqual(self.get("/favicon.ico").status, 404)

    def test_secret_index_called_pypi_below_a_public_one(self) -> None:
        """Its existence decides what /main/pypi/ means, for those who may know of it."""
        secret = IndexName("main/pypi")
        before = self.current.value
        added = replace(before, indexes={**before.indexes, secret: before.indexes[OWN]})
        for target in ("/main/pypi/%2Bsimple/acme-one/", "/main/pypi/"):
            without = self.get(target)
            self.current.value = replace(added, rights={**before.rights, secret: rights(admin=["carol"])})
            self.assertEqual((self.get(target).status, self.get(target).body), (without.status, without.body))
            self.current.value = before
        self.current.value = replace(added, rights={**before.rights, secret: rights(admin=["carol"])})
        self.assertEqual(self.get("/main/pypi/%2Bsimple/acme-one/", CAROL).status, 200)

    def test_offline_mirror_that_is_a_secret_is_no_news(self) -> None:
        self.current.value = replace(self.current.value, offline=frozenset({MIRROR}))
        self.assertEqual(self.get("/-/health").text, "ok\n")
        self.grant(MIRROR, rights(read=["anonymous"]))
        self.assertIn("root/pypi", self.get("/-/health").text)

    def test_file_of_a_private_index_that_a_public_one_has_too(self) -> None:
        """E32: the index decides, not the digest; and an upload does not tell that another one has these bytes."""
        self.assertEqual(self.get(self.url("main")).status, 404)
        first = self.upload_of(self.one, "/main/")
        self.assertEqual((first.status, first.text), (200, ""))
        self.assertEqual(self.get(self.url("main")).body, self.one.content)
        for suffix in ("", ".metadata"):
            self.assertEqual(self.get(self.url("own") + suffix).status, 401)
            self.assertEqual(self.get(self.url("own") + suffix, DAVE).status, 403)
            self.assertEqual(self.get(self.url("own") + suffix, BOB).status, 200)
        # Below the name of a project that may be read, there is no file of another one.
        wrong = f"/own/files/acme-one/{self.other.sha256[:16]}/{self.other.filename}"
        self.assertEqual(self.get(wrong, BOB).status, 404)


class RetentionTests(AccessTestCase):
    def test_who_administers_some_projects_cleans_up_no_others(self) -> None:
        self.grant(OWN, rights(admin=["bob acme-one", "carol"]))
        for method, headers in (("GET", {}), ("POST", {"Content-Type": "application/json"})):
            for who, status in ((BOB, 403), (CAROL, 200)):
                answer = self.ask(method, "/-/api/v1/retention/own", who | headers, b"{}" if headers else b"")
                self.assertEqual(answer.status, status, answer.text)


class CachesTests(AccessTestCase):
    """E34."""

    def test_what_not_everybody_may_read_is_for_no_shared_cache(self) -> None:
        for target in ("/own/simple/", "/own/simple/acme-one/", "/own/packages/", self.url("own")):
            whole = self.get(target, BOB)
            again = {**BOB, "If-None-Match": whole.headers["ETag"]}
            answers = [whole, self.get(target, again), self.ask("HEAD", target, BOB), self.get(target)]
            self.assertEqual([answer.status for answer in answers], [200, 304, 200, 401], target)
            for answer in answers:
                (said,) = answer.headers.get_all("Cache-Control") or []
                self.assertIn("private", said.split(", "), target)
                self.assertNotIn("public", said, target)
                self.assertNotIn("Authorization", answer.headers.get("Vary", ""))

    def test_validator_of_somebody_else_opens_nothing(self) -> None:
        for target in ("/own/simple/acme-one/", self.url("own")):
            held = {"If-None-Match": self.get(target, BOB).headers["ETag"]}
            self.assertEqual(self.get(target, held).status, 401)
            self.assertEqual(self.get(target, {**held, **DAVE}).status, 403)

    def test_public_pages_stay_public(self) -> None:
        self.upload_of(self.one, "/main/")
        for who in ({}, CAROL):
            self.assertIn("public", self.get(self.url("main"), who).headers["Cache-Control"].split(", "))

    def test_what_is_public_of_a_private_index_needs_no_credentials(self) -> None:
        self.grant(OWN, rights(read=["anonymous acme-one", "carol"]))
        page = self.get("/own/simple/acme-one/")
        self.assertEqual((page.status, page.headers["Cache-Control"]), (200, "no-cache, private"))
        self.assertEqual(self.get("/own/simple/acme-other/").status, 401)
        self.assertEqual((self.names({}), self.names(CAROL)), (["acme-one"], ["acme-one", "acme-other"]))
        self.assertEqual(self.get("/own/simple/acme-one/", basic("carol", "wrong")).status, 401)


class ThrottleTests(AccessTestCase):
    def test_guesser_is_told_when_to_come_back(self) -> None:
        """E07: and does not lock anybody out who has signed in before."""
        for _ in range(GUESSES):
            self.assertEqual(self.get("/own/simple/", basic("carol", "wrong")).status, 401)
        answer = self.get("/own/simple/", basic("carol", "guess"))
        self.assertEqual((answer.status, answer.headers["Retry-After"]), (429, str(int(REFILL))))
        self.assertIn("wrong passwords", answer.reason)
        self.assertEqual(self.get("/own/simple/", CAROL).status, 200)
        self.assertEqual(self.get("/main/simple/", basic("carol", "wrong")).status, 200)
        self.clock.advance(REFILL)
        self.assertEqual(self.get("/own/simple/", basic("carol", "guess")).status, 401)

    def test_one_request_is_one_guess(self) -> None:
        """Also where two questions are asked of it."""
        for _ in range(GUESSES):
            self.assertEqual(self.get("/own/acme-one/", basic("carol", "wrong")).status, 401)


class SpellingsTests(WebTestCase):
    users = parse_htpasswd("j\u00fcrgen:" + bcrypt.hashpw("t\u00fcr".encode(), bcrypt.gensalt(4)).decode())
    rights = rights(read=["authenticated"])

    def test_letters_may_come_decomposed(self) -> None:
        """E11: as systems differ in what a key types."""
        for user in ("j\u00fcrgen", "ju\u0308rgen"):
            for password in ("t\u00fcr", "tu\u0308r"):
                self.assertEqual(self.get("/simple/", basic(user, password)).status, 200)
        self.assertEqual(self.get("/simple/", basic("jurgen", "tur")).status, 401)
