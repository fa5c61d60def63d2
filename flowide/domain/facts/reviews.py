"""What happens in reviews."""

from __future__ import annotations

from typing import Any, Literal

from flowide.domain.facts.base import Fact


class ReviewOpened(Fact, frozen=True, kw_only=True, tag="review.opened"):
    """A review of an artifact began."""

    review: str
    artifact: str
    path: str
    kind: str
    """Of the artifact; reasons are remembered by it."""
    stages: list[dict[str, Any]] = []
    rounds: int
    brief: str = ""
    run: str | None = None


class ReviewHandedOver(Fact, frozen=True, kw_only=True, tag="review.handed_over"):
    """A stage handed a version on."""

    review: str
    number: int
    stage: str
    round: int
    artifact: str
    version: int
    base: int
    author: str
    refused: list[dict[str, Any]] = []
    run: str | None = None
    step: str | None = None


class ReviewJudged(Fact, frozen=True, kw_only=True, tag="review.judged"):
    """A stage said what it thinks of a version."""

    review: str
    number: int
    stage: str
    round: int
    artifact: str
    version: int
    verdict: Literal["approve", "reject", "comment"] = "comment"
    reasons: list[dict[str, Any]] = []
    summary: str = ""
    back_to: str | None = None
    by: str | None = None
    """The person who said it, when somebody else passed it on."""
    run: str | None = None
    step: str | None = None


class ReviewApproved(Fact, frozen=True, kw_only=True, tag="review.approved"):
    """The text passed all stages."""

    review: str
    artifact: str
    version: int
    rounds: int
    """It took."""
    why: str = ""
    run: str | None = None


class ReviewRejected(Fact, frozen=True, kw_only=True, tag="review.rejected"):
    """The review ended without an approval."""

    review: str
    artifact: str
    version: int
    rounds: int
    why: str = ""
    run: str | None = None
