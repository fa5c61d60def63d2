"""Decisions."""

from __future__ import annotations

from typing import Any, Literal

from flowide.domain.actors import ActorKind
from flowide.domain.rows.base import Row


class Decision(Row, frozen=True):
    """What was decided, or is about to be. Agreed and open ones are part of every prompt."""

    TABLE = "decisions"
    KEY = ("id",)
    INDEXES = (("status",), ("number",))

    id: str
    number: int
    """People call it D<number>."""
    text: str
    status: Literal["open", "agreed", "superseded"]
    thread: str | None
    message: str | None
    """The message it was proposed from."""
    refs: list[dict[str, Any]]
    run: str | None
    actor: str
    kind: ActorKind
    agreed_by: str | None
    superseded_by: str | None
    """Id of the decision that holds instead."""
    reason: str
    """Given with the newest change."""
    seq: int
    ts: str
    changed: str
    """Time of the newest change."""
