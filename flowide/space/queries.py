"""What can be asked about a space: one class for each query, answered from one consistent state."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from msgspec import Struct

from flowide.domain import rows

R = TypeVar("R")


class Query(Struct, Generic[R], frozen=True):
    """A question; `R` is the type of its answer."""


class Artifacts(Query[list[rows.Artifact]], frozen=True):
    """All artifacts by path; deleted ones only on request."""

    deleted: bool = False


class FindArtifact(Query[rows.Artifact], frozen=True):
    """The artifact with this id or path.

    Raises:
        NotFound: With close paths in its hint.
    """

    ref: str


class ArtifactAt(Query[rows.Artifact | None], frozen=True):
    """The artifact whose path is this one, or differs from it only in case; None when the path is free."""

    path: str


class History(Query[list[rows.Version]], frozen=True):
    """Versions of an artifact, oldest first."""

    artifact: str


class Content(Query[bytes], frozen=True):
    """Bytes of a version of an artifact; version None = the newest."""

    artifact: str
    version: int | None = None


class LockState(Struct, frozen=True):
    """A lock with its queue and how long it still lives."""

    lock: rows.Lock
    path: str
    version: int
    expires_ms: int | None
    """Milliseconds until the lease runs out, 0 when it has; None when free."""
    idle_ms: int | None
    queue: list[rows.Ticket]


class Locks(Query[list[LockState]], frozen=True):
    """Locks that are held, lapsed or waited for; with `artifact` just that one, free or not."""

    artifact: str | None = None


class DraftText(Struct, frozen=True):
    """The text being written under a fence."""

    artifact: str
    fence: int
    base: int
    text: str


class LiveDraft(Query[DraftText | None], frozen=True):
    """What the holder of an artifact has written so far; None when nothing."""

    artifact: str


class Drafts(Query[list[rows.Draft]], frozen=True):
    """Orphan drafts that wait to be adopted or discarded, newest first."""

    artifact: str | None = None


class DraftContent(Query[bytes], frozen=True):
    """Bytes of an orphan draft."""

    draft: str


class VariationView(Struct, frozen=True):
    """A variation with its checks."""

    variation: rows.Variation
    checks: list[rows.Check]


class SetView(Struct, frozen=True):
    """A set with all its variations, by number."""

    set: rows.VariationSet
    variations: list[VariationView]


class VariationSets(Query[list[rows.VariationSet]], frozen=True):
    """All sets, newest first."""


class OneVariationSet(Query[SetView], frozen=True):
    """One set, by id, by a unique start of its id, or `last`.

    Raises:
        NotFound: With what there is in its hint.
    """

    ref: str


class VariationText(Query[str], frozen=True):
    """Text of a variation; number 0 is the base the set starts from (empty when there is none)."""

    set: str
    number: int


class RunView(Struct, frozen=True):
    """A run with its steps (by seq) and gates."""

    run: rows.Run
    steps: list[rows.Step]
    gates: list[rows.Gate]
    alive: bool
    """Its driver renewed the lease in time."""


class Runs(Query[list[rows.Run]], frozen=True):
    """Runs, newest first."""

    limit: int | None = None


class OneRun(Query[RunView], frozen=True):
    """One run, by id, by a unique start of its id, or `last`.

    Raises:
        NotFound: With what there is in its hint.
    """

    ref: str


class StepText(Query[str], frozen=True):
    """What a step's answer looks like so far; empty when nothing was streamed."""

    run: str
    key: str


class Gates(Query[list[rows.Gate]], frozen=True):
    """Gates, newest first; by default those that wait for an answer."""

    status: str | None = "open"
    run: str | None = None


class Hit(Struct, frozen=True):
    """One place where a searched text was found."""

    kind: str
    """`artifact`, `variation` …"""
    ref: str
    title: str
    excerpt: str


class Search(Query[list[Hit]], frozen=True):
    """Full-text search over newest artifact versions and variations; best first."""

    text: str
    limit: int = 50


class Problem(Struct, frozen=True):
    """Something `verify` found wrong."""

    seq: int | None
    """The first event concerned; None for blobs and projections."""
    what: str


class Verify(Query[list[Problem]], frozen=True):
    """Check chain, density, blobs and projections; empty = all is well."""


QUERIES: dict[str, type[Query[Any]]] = {cls.__name__: cls for cls in Query.__subclasses__()}
