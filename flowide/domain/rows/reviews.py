"""Reviews, what their stages handed on, and what they said."""

from __future__ import annotations

from typing import Any, Literal

from flowide.domain.actors import ActorKind
from flowide.domain.rows.base import Row


class Review(Row, frozen=True):
    """A text on its way through stages."""

    TABLE = "reviews"
    KEY = ("id",)
    INDEXES = (("artifact",), ("status",))

    id: str
    artifact: str
    path: str
    kind: str
    """Of the artifact."""
    brief: str
    stages: list[dict[str, Any]]
    rounds: int
    """The most there may be."""
    status: Literal["open", "approved", "rejected"]
    stage: str
    """That spoke or wrote last; empty before the first."""
    round: int
    version: int
    """Under review now."""
    handovers: int
    verdicts: int
    why: str
    run: str | None
    actor: str
    seq: int
    ts: str
    finished: str | None


class Handover(Row, frozen=True):
    """A version that a stage handed on; its diff is that from `base` to `version`."""

    TABLE = "handovers"
    KEY = ("review", "number")

    review: str
    number: int
    stage: str
    round: int
    artifact: str
    version: int
    base: int
    author: str
    refused: list[dict[str, Any]]
    """`{"hunk", "diff", "why"}` of the author's changes that people did not take."""
    seq: int
    ts: str


class Verdict(Row, frozen=True):
    """What a stage said about a version."""

    TABLE = "verdicts"
    KEY = ("review", "number")
    INDEXES = (("artifact_kind", "seq"),)

    review: str
    number: int
    stage: str
    round: int
    artifact: str
    artifact_kind: str
    version: int
    verdict: Literal["approve", "reject", "comment"]
    reasons: list[dict[str, Any]]
    """`{"text", "kind"?, "where"?}`"""
    summary: str
    back_to: str | None
    actor: str
    kind: ActorKind
    seq: int
    ts: str
