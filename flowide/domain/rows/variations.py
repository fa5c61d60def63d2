"""Variation sets, their variations and checks."""

from __future__ import annotations

from typing import Any, Literal

from flowide.domain.actors import ActorKind
from flowide.domain.rows.base import Row


class VariationSet(Row, frozen=True):
    """Several variations of one thing."""

    TABLE = "variation_sets"
    KEY = ("id",)

    id: str
    title: str
    """What varies, for people: a path, a piece, or the start of the brief."""
    brief: str
    path: str | None
    """Where an accepted variation goes; also decides the language."""
    artifact: str | None
    base: int | None
    """Version of the artifact the variations start from; None = from nothing."""
    base_sha256: str | None
    piece: str | None
    """When set, only this piece of the base was asked for."""
    run: str | None
    count: int
    """Variations so far; numbers are 1..count."""
    round: int
    actor: str
    seq: int
    ts: str


class Variation(Row, frozen=True):
    """One immutable proposal in a set, with what people said about it."""

    TABLE = "variations"
    KEY = ("set", "number")
    INDEXES = (("id",),)

    set: str
    number: int
    id: str
    round: int
    origin: Literal["generated", "blend", "manual"]
    sha256: str
    size: int
    actor: str
    kind: ActorKind
    model: str | None
    run: str | None
    step: str | None
    parents: list[dict[str, Any]]
    """For a blend: `{"variation": 4}` for the base, then `{"variation": 2, "piece": "LRUCache._evict"}` …

    In a later round: the short list it was shown.
    """
    lineage: dict[str, Any]
    """Origin of each piece, by piece name."""
    input_tokens: int
    output_tokens: int
    cost_micros: int | None
    tags: list[str]
    shortlisted: bool
    rejected: bool
    notes: list[dict[str, Any]]
    """`{"text","actor","kind","score","ts"}`, oldest first; kind is `note` or `critique`."""
    accepted: int | None
    """Version of the artifact it became; None = not accepted."""
    seq: int
    ts: str


class Check(Row, frozen=True):
    """Result of one command run on one variation."""

    TABLE = "checks"
    KEY = ("set", "number", "name")

    set: str
    number: int
    name: str
    status: Literal["passed", "failed", "error", "timeout"]
    duration_ms: int
    metrics: dict[str, Any]
    """Numbers the check reported, by name; integers or strings of decimals."""
    output: str
    """The last part of what it printed."""
    seq: int
