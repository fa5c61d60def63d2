"""The projected state, as rows. A store keeps one table for each class here.

Rows above the line are projections: they can be dropped and rebuilt from the log.
Rows below it (leases, live text) have no events; losing them loses no decision.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from msgspec import Struct

from flowide.domain.actors import ActorKind


class Row(Struct, frozen=True):
    """One row. Field order is column order; `KEY` is the primary key; lists and dicts are stored as JSON."""

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    INDEXES: ClassVar[tuple[tuple[str, ...], ...]] = ()


class Artifact(Row, frozen=True):
    """A file of the project that people and agents work on."""

    TABLE = "artifacts"
    KEY = ("id",)
    INDEXES = (("path_key",),)

    id: str
    path: str
    """Relative, with forward slashes, NFC."""
    path_key: str
    """The path case-folded: two artifacts may not share it. `!<id>` for a deleted one, whose path is free."""
    kind: str
    """`code`, `document`, `component`, `data` or `binary`."""
    version: int
    sha256: str
    size: int
    """Bytes of the newest version."""
    deleted: bool = False


class Version(Row, frozen=True):
    """One immutable version of an artifact."""

    TABLE = "versions"
    KEY = ("artifact", "version")

    artifact: str
    version: int
    base: int
    """The version it was made from; 0 for the first."""
    path: str
    sha256: str
    size: int
    fence: int
    note: str
    actor: str
    kind: ActorKind
    for_: str | None
    model: str | None
    run: str | None
    step: str | None
    parents: list[dict[str, Any]]
    """Where accepted text came from: `{"set","variation"}` entries, plus `lineage` per piece for a blend."""
    seq: int
    ts: str


class Lock(Row, frozen=True):
    """The lock of an artifact. No row = free with fence 0."""

    TABLE = "locks"
    KEY = ("artifact",)
    INDEXES = (("client",),)

    artifact: str
    state: Literal["free", "held", "lapsed"] = "free"
    fence: int = 0
    actor: str | None = None
    kind: ActorKind | None = None
    for_: str | None = None
    client: str | None = None
    purpose: str = ""
    since: str | None = None
    ttl_ms: int = 0


class Ticket(Row, frozen=True):
    """A place in the queue for a lock; order is by `seq`."""

    TABLE = "tickets"
    KEY = ("id",)
    INDEXES = (("artifact", "seq"),)

    id: str
    artifact: str
    actor: str
    kind: ActorKind
    for_: str | None
    client: str
    purpose: str
    ttl_ms: int
    seq: int


class Draft(Row, frozen=True):
    """An orphan draft: text whose fence has ended. Kept until its owner adopts or discards it."""

    TABLE = "drafts"
    KEY = ("id",)
    INDEXES = (("artifact",),)

    id: str
    artifact: str
    fence: int
    base: int
    actor: str
    sha256: str
    size: int
    why: str
    state: Literal["kept", "adopted", "discarded"]
    seq: int
    ts: str


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


class Run(Row, frozen=True):
    """One execution of a flow, leased by the process that drives it."""

    TABLE = "runs"
    KEY = ("id",)
    INDEXES = (("status",),)

    id: str
    flow: str
    flow_sha256: str
    flow_text: str
    """The flow file as it was, so that a resume can go on with it."""
    inputs: dict[str, Any]
    options: dict[str, Any]
    """Agents, parallelism, gate policy, budget: what a resume needs."""
    status: Literal["running", "waiting", "completed", "failed", "rejected", "cancelled"]
    fence: int
    actor: str
    client: str
    outputs: dict[str, Any]
    totals: dict[str, Any]
    error: dict[str, Any] | None
    exit_code: int | None
    seq: int
    """Of `run.started`."""
    started: str
    finished: str | None


class Step(Row, frozen=True):
    """The newest state of one step of a run; a completed step is never run again."""

    TABLE = "steps"
    KEY = ("run", "key")

    run: str
    key: str
    """`vary`, `vary#3`, `check#3/tests` …: the same key in every attempt."""
    kind: str
    status: Literal["started", "completed", "failed", "skipped"]
    actor: str | None
    attempt: int
    result: dict[str, Any]
    error: dict[str, Any] | None
    usage: dict[str, Any]
    seq: int
    started: str
    finished: str | None


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


# --- without events ---------------------------------------------------------------------------------


class Lease(Row, frozen=True):
    """How long a lock, ticket or run lives without a renewal."""

    TABLE = "leases"
    KEY = ("key",)

    key: str
    """`lock:<artifact>`, `ticket:<id>` or `run:<id>`."""
    fence: int
    deadline_ms: int
    """On the monotonic clock of `boot`."""
    boot: str
    active_ms: int
    """Monotonic time of the last sign of work, for the idle lapse."""
    since_ms: int
    """Monotonic time of the grant, for the longest hold."""


class LiveDraft(Row, frozen=True):
    """The text being written under a fence."""

    TABLE = "live_drafts"
    KEY = ("artifact", "fence")

    artifact: str
    fence: int
    base: int
    size: int
    """Bytes (UTF-8) stored so far."""


class Chunk(Row, frozen=True):
    """A part of a live draft or of a step's answer, at a byte offset."""

    TABLE = "chunks"
    KEY = ("stream", "off")

    stream: str
    """`draft:<artifact>:<fence>` or `step:<run>:<key>`."""
    off: int
    text: str


PROJECTIONS: tuple[type[Row], ...] = (
    Artifact, Version, Lock, Ticket, Draft, VariationSet, Variation, Check, Run, Step, Gate,
)  # fmt: skip
TRANSIENT: tuple[type[Row], ...] = (Lease, LiveDraft, Chunk)
