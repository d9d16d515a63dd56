"""The OpenAPI file: it says of the API what is so."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from openapi_spec_validator import validate
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain import reports, token_reports
from pypid.domain.audit import Action, Event
from pypid.domain.files import Status
from pypid.domain.overlay import Kind
from pypid.domain.rights import Right
from pypid.web.api import calls, token_calls
from pypid.web.api.routes import ApiRoutes
from tests.web.api.document import DOCUMENT, operations
from tests.web.world import WebTestCase

SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
INLINE: dict[type[msgspec.Struct], Any] = {
    reports.IndexReport: SCHEMAS["Root"]["properties"]["indexes"],
    reports.GoingReport: SCHEMAS["Retention"]["properties"]["releases"],
}
NAMED: dict[type[msgspec.Struct], str] = {
    reports.RootReport: "Root",
    reports.ProjectReport: "Project",
    reports.ReleaseReport: "Release",
    reports.FileReport: "File",
    reports.TombstoneReport: "Tombstone",
    reports.RuleReport: "Rule",
    reports.ChangeReport: "Change",
    reports.AuditReport: "Audit",
    Event: "Event",
    reports.DownloadsReport: "Downloads",
    reports.ProjectDownloadsReport: "ProjectDownloads",
    reports.RetentionReport: "Retention",
    token_reports.TokenReport: "Token",
    token_reports.MadeTokenReport: "MadeToken",
    token_reports.TokensReport: "Tokens",
    token_calls.TokenCall: "NewToken",
    calls.Because: "Because",
    calls.StatusCall: "NewStatus",
    calls.Nothing: "Nothing",
}
QUERIES: dict[tuple[str, str], type[msgspec.Struct]] = {
    ("get", "/-/api/v1/audit"): calls.Paging,
    ("get", "/-/api/v1/tokens"): token_calls.TokenListing,
    ("get", "/-/api/v1/indexes/{index}/projects/{project}/downloads"): calls.Period,
    ("delete", "/-/api/v1/indexes/{index}/projects/{project}"): calls.ProjectDeletion,
    ("delete", "/-/api/v1/indexes/{index}/projects/{project}/releases/{version}"): calls.Because,
    ("delete", "/-/api/v1/indexes/{index}/projects/{project}/files/{filename}"): calls.Because,
}


def routes() -> set[tuple[str, str]]:
    """Return each method and path that is routed."""
    return {
        (method, "/-/api" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in ApiRoutes.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    }


class DocumentTests(SynchronousTestCase):
    def test_file_is_openapi(self) -> None:
        validate(DOCUMENT)

    def test_every_url_is_described_and_no_other(self) -> None:
        self.assertEqual(operations(), routes())

    def test_fields_are_those_of_the_code(self) -> None:
        described = {kind: SCHEMAS[name] for kind, name in NAMED.items()}
        described |= {kind: items["items"] for kind, items in INLINE.items()}
        for kind, schema in described.items():
            fields = msgspec.structs.fields(kind)
            self.assertEqual(set(schema["properties"]), {field.encode_name for field in fields}, kind)
            needed = {field.encode_name for field in fields if field.required or issubclass(kind, reports.Report)}
            self.assertEqual(set(schema["required"]), needed, kind)
        self.assertEqual(set(SCHEMAS), {*NAMED.values(), "Problem"})

    def test_values_are_those_of_the_code(self) -> None:
        events, rules, project = (SCHEMAS[name]["properties"] for name in ("Event", "Rule", "Project"))
        self.assertEqual(set(events["action"]["enum"]), {action.value for action in Action})
        self.assertEqual(set(rules["kind"]["enum"]), {kind.value for kind in Kind})
        for schema in (project["status"], rules["status"]):
            self.assertEqual(set(schema["enum"]), {None, *(status.value for status in Status)})
        for name in ("Token", "NewToken"):
            rights = SCHEMAS[name]["properties"]["rights"]["items"]["enum"]
            self.assertEqual(rights, [right.value for right in Right])

    def test_fields_in_urls_are_those_of_the_code(self) -> None:
        for path, item in DOCUMENT["paths"].items():
            for method, operation in item.items():
                if method == "parameters":
                    continue
                given = {_resolved(parameter)["name"] for parameter in operation.get("parameters", [])}
                kind = QUERIES.get((method, path))
                expected = {field.encode_name for field in msgspec.structs.fields(kind)} if kind else set()
                self.assertEqual(given, expected, f"{method} {path}")


class ServedTests(WebTestCase):
    def test_file_is_there_for_everybody(self) -> None:
        answer = self.get("/-/api/v1/openapi.json")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/json"))
        self.assertEqual(msgspec.json.decode(answer.body), DOCUMENT)


def _resolved(parameter: dict[str, Any]) -> dict[str, Any]:
    reference = parameter.get("$ref", "")
    found: dict[str, Any] = DOCUMENT["components"]["parameters"].get(reference.rpartition("/")[2], parameter)
    return found
