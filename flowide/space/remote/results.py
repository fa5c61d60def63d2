"""What an answer of a hub says: carried out, refused, or too fast."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from flowide.errors import FlowError, from_dict
from flowide.space.wire.calls import Result


def result_error(result: Result) -> FlowError | None:
    """The refusal in an answer; None when it was carried out."""
    return None if result.err is UNSET else from_dict(result.err)


def too_fast(result: Result) -> float | None:
    """After how many seconds a command may be sent again that came faster than the hub takes them; else None."""
    error = None if isinstance(result.err, UnsetType) else result.err
    if error is None or error.get("code") != "limit" or error.get("data", {}).get("decided") is not False:
        return None
    retry_ms = error["data"].get("retry_ms")
    return retry_ms / 1000 if isinstance(retry_ms, int | float) else None
