"""XML-RPC, read from strangers: no DTD, no entities, no depth; and written so that every parser takes it."""

from __future__ import annotations

import re
import xmlrpc.client
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

MAX_DEPTH = 20
"""Elements inside one another. A search, with its lists in a struct, has 11."""

NOT_UNDERSTOOD, UNKNOWN_METHOD, WRONG_PARAMETERS = -32700, -32601, -32602
"""Fault codes, as most servers have them."""

_UNREADABLE = (
    expat.ExpatError,
    xmlrpc.client.Error,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
)
"""What expat and the standard library's unmarshaller raise for a document that is no call."""

_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Fault(Exception):
    """An answer of XML-RPC's own kind that nothing comes of the call."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    parameters: tuple[Any, ...]


def read_call(body: bytes) -> Call:
    """Return the call that ``body`` is. Raises `Fault`, and nothing else, for any other body."""
    try:
        unmarshaller = _read(body)
        parameters = unmarshaller.close()
    except _UNREADABLE as e:
        raise Fault(NOT_UNDERSTOOD, f"this is no XML-RPC call: {e}") from e
    method = unmarshaller.getmethodname()
    if method is None:
        raise Fault(NOT_UNDERSTOOD, "this is no XML-RPC call: it names no method")
    return Call(method, tuple(parameters))


def render_call(method: str, parameters: Sequence[Any]) -> bytes:
    return _encoded(xmlrpc.client.dumps(tuple(parameters), method, allow_none=True))


def read_answer(body: bytes) -> Any:
    """Return the value that ``body`` answers a call with. Raises `Fault`, and nothing else, for any other body."""
    try:
        (value,) = _read(body).close()
    except xmlrpc.client.Fault as e:
        raise Fault(NOT_UNDERSTOOD, f"it answers with the fault {e.faultCode}: {str(e.faultString)[:200]}") from e
    except _UNREADABLE as e:
        raise Fault(NOT_UNDERSTOOD, f"this is no answer of XML-RPC: {e}") from e
    return value


def render_answer(value: Any) -> bytes:
    """Return the body that says ``value``, of which every text is made one that XML can say."""
    return _encoded(xmlrpc.client.dumps((_sayable(value),), methodresponse=True, allow_none=True))


def render_fault(fault: Fault) -> bytes:
    return _encoded(xmlrpc.client.dumps(xmlrpc.client.Fault(fault.code, _sayable(fault.message))))


def _read(body: bytes) -> xmlrpc.client.Unmarshaller:
    unmarshaller = xmlrpc.client.Unmarshaller()
    unmarshaller.xml(None, None)  # type: ignore[arg-type]  # expat has decoded already
    _parser(unmarshaller).Parse(body, True)
    return unmarshaller


def _parser(unmarshaller: xmlrpc.client.Unmarshaller) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    depth = 0

    def refuse(*_: object) -> None:
        raise Fault(NOT_UNDERSTOOD, "a document type is nothing that XML-RPC has")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise Fault(NOT_UNDERSTOOD, f"the call has more than {MAX_DEPTH} elements inside one another")
        unmarshaller.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        unmarshaller.end(tag)

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = unmarshaller.data
    return parser


def _sayable(value: Any) -> Any:
    if isinstance(value, str):
        return _NO_XML.sub("?", value)
    if isinstance(value, dict):
        return {key: _sayable(each) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [_sayable(each) for each in value]
    return value


def _encoded(text: str) -> bytes:
    return b"<?xml version='1.0' encoding='utf-8'?>\n" + text.partition("?>\n")[2].encode()
