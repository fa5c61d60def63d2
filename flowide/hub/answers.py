"""Answers over HTTP."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from flowide.errors import FlowError

STATUS = {
    "auth": 401,
    "role": 403,
    "not_found": 404,
    "too_large": 413,
    "limit": 429,
    "unavailable": 503,
    "storage": 503,
    "exists": 409,
    "mismatch": 409,
    "gone": 410,
    "failed": 500,
}
"""HTTP status of each error code; 400 for those that are not here."""


def status_of(error: FlowError) -> int:
    """HTTP status of a refusal."""
    return STATUS.get(error.code, 400)


def json_answer(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(value), status, headers=headers, media_type="application/json")


def refusal(error: FlowError) -> Response:
    """A refusal as JSON, `{"err": {"code", "message", "hint", "data"}}`."""
    headers = {}
    if error.code == "auth":
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_ms" in error.data:
        headers["Retry-After"] = str(-(-error.data["retry_ms"] // 1000))
    return json_answer({"err": error.to_dict()}, status=status_of(error), headers=headers)
