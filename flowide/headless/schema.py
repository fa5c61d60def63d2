"""JSON Schema of the lines of a run."""

from __future__ import annotations

from typing import Any

from flowide.headless.envelope import TYPES


def events_schema() -> dict[str, Any]:
    """Schema of one line of `flowide run --json`."""
    text, number = {"type": "string"}, {"type": "integer"}
    maybe_text = {"type": ["string", "null"]}
    actor = {
        "type": ["object", "null"],
        "properties": {"kind": {"enum": ["human", "agent", "system"]}, "id": text, "model": maybe_text},
        "required": ["kind", "id"],
    }
    error = {
        "type": ["object", "null"],
        "properties": {
            "code": text,
            "message": text,
            "hint": text,
            "retryable": {"type": "boolean"},
            "provider_status": {"type": ["integer", "null"]},
        },
        "required": ["code", "message", "retryable", "provider_status"],
    }
    finished = {
        "properties": {
            "status": {"enum": ["queued", "waiting", "completed", "failed", "rejected", "cancelled"]},
            "exit_code": number,
            "error": error,
            "outputs": {"type": "object"},
            "totals": {"type": "object"},
            "resume_command": maybe_text,
        },
        "required": ["status", "exit_code", "error", "outputs", "totals", "resume_command"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "FlowIDE run event",
        "type": "object",
        "properties": {
            "v": {"const": 1},
            "seq": {**number, "minimum": 0},
            "ts": {**text, "format": "date-time"},
            "run": maybe_text,
            "type": {"enum": list(TYPES)},
            "step": maybe_text,
            "actor": actor,
            "data": {"type": "object"},
        },
        "required": ["v", "seq", "ts", "run", "type", "step", "actor", "data"],
        "if": {"properties": {"type": {"const": "run.finished"}}},
        "then": {"properties": {"data": finished}},
    }
