"""Questions to people."""

from __future__ import annotations

from typing import Any, Literal

from flowide.domain.rows.base import Row


class Gate(Row, frozen=True):
    """A question to a person."""

    TABLE = "gates"
    KEY = ("id",)
    INDEXES = (("status",), ("run",))

    id: str
    run: str | None
    step: str | None
    kind: str
    """`choose`, `approve`, `permission` …"""
    question: str
    options: list[str]
    """Allowed answers; empty = free text."""
    context: dict[str, Any]
    """What the asker shows beside the question, e.g. `{"set": …}`."""
    status: Literal["open", "answered", "withdrawn"]
    answer: str | None
    reason: str | None
    by: str | None
    seq: int
    ts: str
