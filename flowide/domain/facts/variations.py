"""What happens to variation sets."""

from __future__ import annotations

from typing import Any, Literal

from flowide.domain.facts.base import Fact


class VariationSetOpened(Fact, frozen=True, kw_only=True, tag="variation.set_opened"):
    """A place for variations of one thing."""

    set: str
    title: str
    brief: str = ""
    path: str | None = None
    artifact: str | None = None
    base: int | None = None
    base_sha256: str | None = None
    piece: str | None = None
    run: str | None = None


class VariationCreated(Fact, frozen=True, kw_only=True, tag="variation.created"):
    """A variation was added; the number is dense in its set."""

    set: str
    number: int
    variation: str
    round: int = 1
    origin: Literal["generated", "blend", "manual"] = "generated"
    sha256: str
    size: int
    author: str
    author_kind: str = "agent"
    model: str | None = None
    run: str | None = None
    step: str | None = None
    parents: list[dict[str, Any]] = []
    lineage: dict[str, Any] = {}
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int | None = None


class VariationChecked(Fact, frozen=True, kw_only=True, tag="variation.checked"):
    """A check ended on a variation."""

    set: str
    number: int
    name: str
    status: Literal["passed", "failed", "error", "timeout"]
    duration_ms: int
    metrics: dict[str, Any] = {}
    output: str = ""


class VariationTagged(Fact, frozen=True, kw_only=True, tag="variation.tagged"):
    """Tags were added or removed."""

    set: str
    number: int
    add: list[str] = []
    remove: list[str] = []


class VariationShortlisted(Fact, frozen=True, kw_only=True, tag="variation.shortlisted"):
    """Put on, or taken off, the short list."""

    set: str
    number: int
    on: bool = True


class VariationRejected(Fact, frozen=True, kw_only=True, tag="variation.rejected"):
    """Set aside, or taken back in."""

    set: str
    number: int
    on: bool = True


class VariationNoted(Fact, frozen=True, kw_only=True, tag="variation.noted"):
    """Somebody said something about a variation."""

    set: str
    number: int
    text: str
    kind: Literal["note", "critique"] = "note"
    score: int | None = None
    """1 (poor) to 10; None = no score given."""


class VariationAccepted(Fact, frozen=True, kw_only=True, tag="variation.accepted"):
    """A variation became a version of an artifact."""

    set: str
    number: int
    artifact: str
    version: int
