"""The OpenAPI file, and what it says of an answer."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

DOCUMENT: dict[str, Any] = json.loads(files("pypid.web.api").joinpath("openapi.json").read_text("utf-8"))

_ROOT = "urn:openapi"
_REGISTRY: Registry[Any] = Registry().with_resource(_ROOT, DRAFT202012.create_resource(DOCUMENT))
_METHODS = frozenset({"get", "put", "post", "delete"})


def operations() -> set[tuple[str, str]]:
    """Return each method and path that is described."""
    return {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item if method in _METHODS}


def check_answer(method: str, target: str, status: int, content_type: str | None, content: bytes) -> None:
    """Raise unless the document says that such an answer may come."""
    operation = _operation(method, target.partition("?")[0])
    response = operation["responses"][str(status)]
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    check(response["content"][content_type]["schema"], json.loads(content))


def check_call(method: str, target: str, content: bytes) -> None:
    """Raise unless the document says that such a body may be sent."""
    operation = _operation(method, target.partition("?")[0])
    check(operation["requestBody"]["content"]["application/json"]["schema"], json.loads(content))


def check(schema: dict[str, Any], value: object) -> None:
    """Raise unless ``value`` fits ``schema``, which is a part of the document."""
    whole = json.loads(json.dumps(schema).replace('"#/', f'"{_ROOT}#/'))
    Draft202012Validator(whole, registry=_REGISTRY, format_checker=FormatChecker()).validate(value)


def _operation(method: str, path: str) -> Any:
    for template, item in DOCUMENT["paths"].items():
        # An index is one segment or two.
        pattern = re.sub(
            r"\\\{(\w+)\\\}", lambda name: "[^/]+(/[^/]+)?" if name[1] == "index" else "[^/]+", re.escape(template)
        )
        if re.fullmatch(pattern, path) and method.lower() in item:
            return item[method.lower()]
    raise AssertionError(f"{method} {path} is not described")
