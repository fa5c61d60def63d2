"""The OpenAPI document of a hub, made from the types that it serves."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec

from flowide import __version__
from flowide.domain.commands import COMMANDS, Batch
from flowide.domain.events import Event
from flowide.errors import BY_CODE
from flowide.hub.answers import STATUS
from flowide.hub.reads import READS
from flowide.space.arbiter import MAX_BATCH, answer_type
from flowide.space.wire.calls import QUERIES

_SPACE = "/v1/spaces/{space}"
_HEX64 = "^[0-9a-f]{64}$"


@cache
def document() -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    kinds = [each for each in COMMANDS.values() if each is not Batch]
    answers = [answer_type(each) for each in kinds]
    questions = list(QUERIES.values())
    shown = _components([*kinds, *answers, *questions, Event])
    commands = {each.wire_name(): _command(each, shown[each.__name__]) for each in kinds}
    for each in kinds:
        del shown[each.__name__]
    schemas = {
        **shown,
        **{_title(name): schema for name, schema in commands.items()},
        "Command": {"oneOf": [_ref(_title(name)) for name in commands]},
        "Batch": _batch(),
        "Call": _call(),
        "Question": _question(questions),
        "Error": _error(),
        "Refusal": _object({"err": _ref("Error")}, more=True),
        "Result": _result(),
        "Cmds": _cmds(),
        "Results": _object({"results": _list(_ref("Result")), "head": {"type": "integer"}}, more=True),
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "FlowIDE hub",
            "version": __version__,
            "description": "Spaces that people and agents share. The same commands and questions go over the "
            "WebSocket at …/stream, subprotocol flowide.1.",
        },
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
    }


def _components(kinds: list[Any]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components(
        dict.fromkeys(kinds), ref_template="#/components/schemas/{name}"
    )
    return components


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[._]", name)) + "Call"


def _command(kind: type[Any], schema: dict[str, Any]) -> dict[str, Any]:
    args = {**schema, "properties": {k: v for k, v in schema["properties"].items() if k != "cmd"}}
    args["required"] = [name for name in schema.get("required", []) if name != "cmd"]
    args.pop("title", None)
    about = args.pop("description", "")
    needed = ["id", "cmd", *(["args"] if args["required"] else [])]
    return {
        "type": "object",
        "description": about,
        "properties": {"id": _id(), "cmd": {"const": kind.wire_name()}, "args": args},
        "required": needed,
        "additionalProperties": False,
    }


def _call() -> dict[str, Any]:
    texts = {name: {"type": "string"} for name in ("id", "cmd")}
    loose = {
        "type": "object",
        "description": "Anything else is refused with bad_args, in its own result.",
        "properties": {**texts, "args": {"type": "object"}},
        "required": list(texts),
        "additionalProperties": False,
    }
    return {"anyOf": [_ref("Command"), _ref("Batch"), loose]}


def _batch() -> dict[str, Any]:
    part = {
        "type": "object",
        "properties": {"cmd": {"type": "string"}, "args": {"type": "object"}},
        "required": ["cmd"],
        "additionalProperties": False,
    }
    cmds = {"type": "array", "items": part, "maxItems": MAX_BATCH}
    return {
        "type": "object",
        "description": "All of the commands, or none.",
        "properties": {"id": _id(), "cmd": {"const": "batch"}, "args": _object({"cmds": cmds})},
        "required": ["id", "cmd", "args"],
        "additionalProperties": False,
    }


def _question(kinds: list[type[Any]]) -> dict[str, Any]:
    return {
        "oneOf": [
            {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "cmd": {"const": kind.__name__},
                    "args": _ref(kind.__name__),
                },
                "required": ["id", "cmd", *(["args"] if _needs(kind) else [])],
                "additionalProperties": False,
            }
            for kind in kinds
        ]
    }


def _needs(kind: type[Any]) -> bool:
    return any(each.required for each in msgspec.structs.fields(kind))


def _error() -> dict[str, Any]:
    return _object(
        {
            "code": {"enum": sorted(BY_CODE)},
            "message": {"type": "string"},
            "hint": {"type": "string"},
            "data": {"type": "object"},
        }
    )


def _result() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"id": {"type": "string"}, "seq": {"type": "integer"}, "ok": {}, "err": _ref("Error")},
        "required": ["id", "seq"],
    }


def _cmds() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "type": {"const": "cmds"},
            "client": {"type": "string", "description": "UUID of the process."},
            "cmds": {"type": "array", "items": _ref("Call"), "maxItems": MAX_BATCH},
            "as": {
                "type": ["object", "null"],
                "description": 'An agent of yours to act as: {"id", "kind": "agent"}; refused in each result.',
            },
            "deadline_ms": {
                "anyOf": [{"type": "null"}, {"type": "integer"}],
                "description": "Milliseconds left.",
            },
        },
        "required": ["client", "cmds"],
    }


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {
        "/healthz": {"get": _operation("Whether the hub works", {"200": _any()}, codes=("storage",), free=True)},
        "/metrics": {"get": _operation("Counters, for Prometheus", {"200": _media("text/plain")}, free=True)},
        "/openapi.json": {"get": _operation("This document", {"200": _any()}, free=True)},
        "/v1/me": {"get": _operation("Whose the token is", {"200": _any()}, codes=("auth", "limit"))},
        "/v1/join": {
            "post": _operation(
                "Become a member with an invitation",
                {"200": _any()},
                codes=("bad_args", "role", "gone", "exists", "limit", "too_large"),
                free=True,
                body=_object({name: {"type": "string"} for name in ("code", "handle", "device")}),
            )
        },
        f"{_SPACE}/commands": {
            "post": _within("Carry out commands, in order", {"200": _json(_ref("Results"))}, body=_ref("Cmds"))
        },
        f"{_SPACE}/ask": {"post": _within("Answer a question", {"200": _json(_ref("Result"))}, body=_ref("Question"))},
        f"{_SPACE}/events": {
            "get": _within(
                "Events after a position", {"200": _json(_events())}, query=("after", "limit", "wait")
            )
        },
        f"{_SPACE}/import": {"post": _within("Fill a new space", {"200": _any()}, raw="application/x-tar")},
        f"{_SPACE}/snapshot": {"get": _within("The whole log with its tables", {"200": _media("application/jsonl")})},
        f"{_SPACE}/blobs/{{sha256}}": {
            "get": _within(
                "A content", {"200": _media("application/octet-stream"), "206": _media("application/octet-stream"),
                              "304": _nothing(), "416": _nothing()}, path=("sha256",)
            ),
            "put": _within(
                "Store a content", {"201": _any()}, path=("sha256",), raw="application/octet-stream"
            ),
        },
        f"{_SPACE}/locks": {
            "get": _within("Locks that are not free, with who waits", {"200": _read({})}, query=("artifact",))
        },
        f"{_SPACE}/artifacts/{{id}}": {
            "get": _within("An artifact with its text", {"200": _read({})}, path=("id",), query=("version",))
        },
        f"{_SPACE}/drafts/{{id}}": {
            "get": _within("An orphan draft, or an artifact's live draft", {"200": _read({})}, path=("id",))
        },
    }  # fmt: skip
    for read in READS:
        path = ("id",) if "{id}" in read.path else ()
        paths[_SPACE + read.path] = {
            "get": _within(read.about, {"200": _read({})}, path=path, query=read.parameters)
        }
    return paths


def _within(
    about: str,
    answers: dict[str, Any],
    *,
    path: tuple[str, ...] = (),
    query: tuple[str, ...] = (),
    body: dict[str, Any] | None = None,
    raw: str | None = None,
) -> dict[str, Any]:
    made = _operation(
        about,
        answers,
        codes=(
            "auth",
            "role",
            "bad_args",
            "not_found",
            "exists",
            "mismatch",
            "limit",
            "too_large",
            "storage",
        ),
        body=body,
        raw=raw,
    )
    made["parameters"] = [
        *[_parameter(name, "path") for name in ("space", *path)],
        *[_parameter(name, "query") for name in query],
    ]
    return made


def _operation(
    about: str,
    answers: dict[str, Any],
    *,
    codes: tuple[str, ...] = (),
    free: bool = False,
    body: dict[str, Any] | None = None,
    raw: str | None = None,
) -> dict[str, Any]:
    refused = {
        str(STATUS.get(code, 400)): {"description": "Refused", "content": _content(_ref("Refusal"))}
        for code in codes
    }
    made: dict[str, Any] = {"summary": about, "responses": {**refused, **answers}}
    if free:
        made["security"] = []
    if body is not None:
        made["requestBody"] = {"required": True, "content": _content(body)}
    if raw is not None:
        made["requestBody"] = {"required": True, "content": {raw: {}}}
    return made


def _parameter(name: str, place: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    bare = name.rstrip("!")
    if bare in {"after", "limit", "wait", "before", "version"}:
        schema = {"type": "integer", "minimum": 0}
    if bare == "sha256":
        schema["pattern"] = _HEX64
    if bare != name:
        schema["minLength"] = 1
    return {"name": bare, "in": place, "required": place == "path" or name.endswith("!"), "schema": schema}


def _events() -> dict[str, Any]:
    return _object({"events": _list(_ref("Event")), "head": {"type": "integer"}})


def _read(found: dict[str, Any]) -> dict[str, Any]:
    return _json(_object({"seq": {"type": "integer"}, "ok": found}))


def _id() -> dict[str, Any]:
    about = "A UUIDv7, made by the sender: the same again is carried out once."
    return {"type": "string", "minLength": 1, "maxLength": 200, "description": about}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _object(properties: dict[str, Any], *, more: bool = False) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": more,
    }


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "The answer", "content": _content(schema)}


def _any() -> dict[str, Any]:
    return _json({"type": "object"})


def _media(kind: str) -> dict[str, Any]:
    return {"description": "The answer", "content": {kind: {}}}


def _nothing() -> dict[str, Any]:
    return {"description": "No content"}
