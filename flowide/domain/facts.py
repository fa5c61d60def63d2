"""What can happen: the data of each event type. The tag of a class is its event type."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct


class Fact(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Data of one event. New fields get defaults, so that old logs stay readable."""

    @classmethod
    def event_type(cls) -> str:
        """The `type` of the event, e.g. `lock.acquired`."""
        return str(cls.__struct_config__.tag)

    def to_data(self) -> dict[str, Any]:
        """The event's `data`: builtins only."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        del data["type"]
        return data


class Holder(Struct, frozen=True, rename={"for_": "for"}):
    """Who holds a lock, and with which process."""

    actor: str
    client: str
    kind: str = "human"
    for_: str | None = None


class Saved(Fact, frozen=True, kw_only=True):
    """Fields shared by everything that makes a version."""

    artifact: str
    path: str
    version: int
    base: int
    sha256: str
    size: int
    fence: int
    note: str = ""
    model: str | None = None
    run: str | None = None
    step: str | None = None
    parents: list[dict[str, Any]] = []


class ArtifactCreated(Saved, frozen=True, kw_only=True, tag="artifact.created"):
    """An artifact came to be, with version 1."""

    kind: str


class ArtifactSaved(Saved, frozen=True, kw_only=True, tag="artifact.saved"):
    """A new version."""


class ArtifactMoved(Saved, frozen=True, kw_only=True, tag="artifact.moved"):
    """A new version with the same bytes under another path."""

    old_path: str


class ArtifactDeleted(Saved, frozen=True, kw_only=True, tag="artifact.deleted"):
    """The artifact is gone from the folder; its versions stay."""


class ArtifactRestored(Saved, frozen=True, kw_only=True, tag="artifact.restored"):
    """A new version with the bytes of an older one; also brings back a deleted artifact."""

    from_version: int


class LockAcquired(Fact, frozen=True, kw_only=True, tag="lock.acquired"):
    """The lock was granted."""

    artifact: str
    fence: int
    holder: Holder
    purpose: str = ""
    ttl_ms: int
    took_over: str | None = None
    """Handle whose lapsed lock this replaces."""
    ticket: str | None = None
    """The ticket this grant answers."""


class LockLapsed(Fact, frozen=True, kw_only=True, tag="lock.lapsed"):
    """The lease ran out or the holder went idle; the lock may be taken, and may still be used."""

    artifact: str
    fence: int
    why: Literal["lease", "idle", "overlong"]


class LockRevived(Fact, frozen=True, kw_only=True, tag="lock.revived"):
    """The holder of a lapsed lock renewed it before anybody took it."""

    artifact: str
    fence: int


class LockReleased(Fact, frozen=True, kw_only=True, tag="lock.released"):
    """The holder gave the lock back."""

    artifact: str
    fence: int


class LockTransferred(Fact, frozen=True, kw_only=True, tag="lock.transferred"):
    """The holder handed the lock to somebody."""

    artifact: str
    fence: int
    to: Holder
    new_fence: int
    ttl_ms: int
    with_draft: bool = False


class LockForced(Fact, frozen=True, kw_only=True, tag="lock.forced"):
    """Somebody ended another's lock."""

    artifact: str
    fence: int
    by: Holder
    reason: str
    ttl_ms: int = 0
    new_fence: int | None = None
    """Fence of who forced, when they took it in the same step."""


class LockQueued(Fact, frozen=True, kw_only=True, tag="lock.queued", rename={"for_": "for"}):
    """Somebody waits for the lock."""

    artifact: str
    ticket: str
    actor: str
    kind: str = "human"
    for_: str | None = None
    client: str
    position: int
    purpose: str = ""
    ttl_ms: int


class LockDequeued(Fact, frozen=True, kw_only=True, tag="lock.dequeued"):
    """A ticket ended without or with a grant."""

    artifact: str
    ticket: str
    actor: str
    client: str
    why: Literal["granted", "cancelled", "expired", "forced"]


class DraftKept(Fact, frozen=True, kw_only=True, tag="draft.kept"):
    """Text under a fence that has ended became an orphan draft."""

    draft: str
    artifact: str
    fence: int
    base: int
    owner: str
    size: int
    sha256: str
    why: str


class DraftAdopted(Fact, frozen=True, kw_only=True, tag="draft.adopted"):
    """An orphan draft is the live draft of a new fence."""

    draft: str
    artifact: str
    fence: int


class DraftDiscarded(Fact, frozen=True, kw_only=True, tag="draft.discarded"):
    """Its owner let an orphan draft go; the blob stays in the log's history."""

    draft: str


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


class RunStarted(Fact, frozen=True, kw_only=True, tag="run.started"):
    """A flow began."""

    run: str
    flow: str
    flow_sha256: str
    flow_text: str
    inputs: dict[str, Any] = {}
    options: dict[str, Any] = {}
    fence: int = 1


class RunClaimed(Fact, frozen=True, kw_only=True, tag="run.claimed"):
    """A process took the run over to go on with it."""

    run: str
    fence: int
    client: str


class RunStep(Fact, frozen=True, kw_only=True, tag="run.step"):
    """A step started, completed, failed or was skipped."""

    run: str
    key: str
    kind: str
    status: Literal["started", "completed", "failed", "skipped"]
    attempt: int = 1
    result: dict[str, Any] = {}
    error: dict[str, Any] | None = None
    usage: dict[str, Any] = {}


class RunFinished(Fact, frozen=True, kw_only=True, tag="run.finished"):
    """A run ended or stopped; `waiting` and `cancelled` runs can be resumed."""

    run: str
    status: Literal["waiting", "completed", "failed", "rejected", "cancelled"]
    exit_code: int
    error: dict[str, Any] | None = None
    outputs: dict[str, Any] = {}
    totals: dict[str, Any] = {}


class GateOpened(Fact, frozen=True, kw_only=True, tag="gate.opened"):
    """A question to a person."""

    gate: str
    run: str | None = None
    step: str | None = None
    kind: str
    question: str
    options: list[str] = []
    context: dict[str, Any] = {}


class GateAnswered(Fact, frozen=True, kw_only=True, tag="gate.answered"):
    """The answer to a gate."""

    gate: str
    answer: str
    reason: str | None = None


def _leaves(root: type[Fact]) -> dict[str, type[Fact]]:
    found: dict[str, type[Fact]] = {}
    for child in root.__subclasses__():
        if isinstance(child.__struct_config__.tag, str) and "." in child.__struct_config__.tag:
            found[child.event_type()] = child
        found.update(_leaves(child))
    return found


FACTS: dict[str, type[Fact]] = _leaves(Fact)
"""Fact class of each event type."""
