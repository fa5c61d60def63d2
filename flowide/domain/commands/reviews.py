"""Commands about reviews: stages hand a text on, judge it, and send it back with reasons."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from flowide.domain.commands.base import Command, Done
from flowide.domain.ids import uuid7

VerdictKind = Literal["approve", "reject", "comment"]
ReasonKind = Literal[
    "correctness", "completeness", "clarity", "structure", "style", "evidence", "safety", "scope", "other"
]


class Reason(Struct, frozen=True, omit_defaults=True):
    """Why a text is sent back, or what is said about it."""

    text: str
    kind: ReasonKind = "other"
    where: str = ""
    """Piece, section or line it is about."""


class OpenReview(Command[Done], frozen=True, kw_only=True, tag="review.open"):
    """Begin a review of an artifact."""

    review: str = field(default_factory=uuid7)
    artifact: str
    stages: list[dict[str, Any]]
    """`{"stage", "by", "does"}`, in order; `by` is a handle or `person`."""
    rounds: int = 5
    """Times the text may be sent back, plus one."""
    brief: str = ""
    run: str | None = None


class Counted(Struct, frozen=True):
    """The how-manyeth hand-over or verdict of its review this is."""

    number: int


class HandOver(Command[Counted], frozen=True, kw_only=True, tag="review.hand_over"):
    """A stage has written a version and hands it on."""

    review: str
    stage: str
    round: int
    version: int
    base: int
    """The version the stage was given; the same as `version` when it changed nothing."""
    author: str | None = None
    """Handle of the agent that wrote it; None = the sender."""
    refused: list[dict[str, Any]] = []
    """Changes of the author that people did not take: `{"hunk", "diff", "why"}`."""
    step: str | None = None


class JudgeReview(Command[Counted], frozen=True, kw_only=True, tag="review.judge"):
    """A stage says what it thinks of a version; a rejection sends it back to a stage."""

    review: str
    stage: str
    round: int
    version: int
    verdict: VerdictKind
    reasons: list[Reason] = []
    summary: str = ""
    back_to: str | None = None
    """Stage that goes on after a rejection; None = the first."""
    gate: str | None = None
    """The gate at which a person said it: the verdict is theirs, whoever passes it on."""
    step: str | None = None


class FinishReview(Command[Done], frozen=True, kw_only=True, tag="review.finish"):
    """End a review; people only."""

    review: str
    status: Literal["approved", "rejected"]
    version: int
    why: str = ""
