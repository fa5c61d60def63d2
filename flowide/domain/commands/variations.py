"""Commands about variation sets."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from flowide.domain.commands.artifacts import Versioned
from flowide.domain.commands.base import Command, Done
from flowide.domain.ids import uuid7


class OpenVariationSet(Command[Done], frozen=True, kw_only=True, tag="variation.open_set"):
    """Make a place for variations of one thing."""

    set: str = field(default_factory=uuid7)
    title: str
    brief: str = ""
    path: str | None = None
    artifact: str | None = None
    base: int | None = None
    base_text: str | None = None
    """The text the variations start from, when it is no artifact version."""
    piece: str | None = None
    run: str | None = None


class Numbered(Struct, frozen=True):
    """Number of the new variation in its set."""

    number: int
    sha256: str


class AddVariation(Command[Numbered], frozen=True, kw_only=True, tag="variation.add"):
    """Add a variation; its text never changes afterwards."""

    set: str
    id: str = field(default_factory=uuid7)
    text: str | None = None
    blob: str | None = None
    round: int = 1
    origin: Literal["generated", "blend", "manual"] = "generated"
    author: str | None = None
    """Handle of the agent that wrote it; None = the sender."""
    model: str | None = None
    run: str | None = None
    step: str | None = None
    parents: list[dict[str, Any]] = []
    lineage: dict[str, Any] = {}
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int | None = None


class RecordCheck(Command[Done], frozen=True, kw_only=True, tag="variation.check"):
    """Record the result of a check on a variation; a later one of the same name replaces it."""

    set: str
    number: int
    name: str
    status: Literal["passed", "failed", "error", "timeout"]
    duration_ms: int
    metrics: dict[str, Any] = {}
    output: str = ""


class TagVariation(Command[Done], frozen=True, kw_only=True, tag="variation.tag"):
    """Add or remove tags."""

    set: str
    number: int
    add: list[str] = []
    remove: list[str] = []


class ShortlistVariation(Command[Done], frozen=True, kw_only=True, tag="variation.shortlist"):
    """Put a variation on the short list, or take it off."""

    set: str
    number: int
    on: bool = True


class RejectVariation(Command[Done], frozen=True, kw_only=True, tag="variation.reject"):
    """Set a variation aside, or take it back in."""

    set: str
    number: int
    on: bool = True


class NoteVariation(Command[Done], frozen=True, kw_only=True, tag="variation.note"):
    """Say something about a variation."""

    set: str
    number: int
    text: str
    kind: Literal["note", "critique"] = "note"
    score: int | None = None


class AcceptVariation(Command[Versioned], frozen=True, kw_only=True, tag="variation.accept"):
    """Save a variation as the next version of an artifact, under its lock, with its lineage."""

    set: str
    number: int
    artifact: str
    fence: int
    base: int
    note: str = ""
    then: Literal["keep", "release"] = "release"
