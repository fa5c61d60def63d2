"""What can be asked of a space: one class for each command, named on the wire by its tag.

Ids of new things come from the sender (UUIDv7), so that a command can be sent again safely.
Text is inline up to `MAX_INLINE`; above that, or when it is not UTF-8, put a blob first and name it.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct, field

from flowide.domain.actors import ActorKind
from flowide.domain.ids import uuid7

Ok = TypeVar("Ok")

MAX_INLINE = 256 * 1024
"""Bytes of UTF-8 a command may carry inline."""
MAX_BLOB = 16 * 1024 * 1024
"""Bytes of one content."""
MIN_TTL_MS, MAX_TTL_MS, DEFAULT_TTL_MS = 500, 86_400_000, 30_000


class Command(Struct, Generic[Ok], frozen=True, kw_only=True, tag_field="cmd", forbid_unknown_fields=True):
    """A request to change a space; `Ok` is the type of its answer."""

    @classmethod
    def wire_name(cls) -> str:
        """The name on the wire, e.g. `lock.acquire`."""
        return str(cls.__struct_config__.tag)


class Done(Struct, frozen=True):
    """The answer of a command that has nothing more to say."""


# --- artifacts --------------------------------------------------------------------------------------


class Provenance(Struct, frozen=True):
    """Where a saved text comes from, beyond its author."""

    model: str | None = None
    run: str | None = None
    step: str | None = None
    parents: list[dict[str, Any]] = []


class Versioned(Struct, frozen=True):
    """The answer of every command that makes a version."""

    artifact: str
    version: int
    sha256: str
    fence: int | None = None
    """The sender's fence when it holds the lock afterwards."""


class CreateArtifact(Command[Versioned], frozen=True, kw_only=True, tag="artifact.create"):
    """Make an artifact with version 1."""

    id: str = field(default_factory=uuid7)
    path: str
    kind: str = "code"
    text: str | None = None
    blob: str | None = None
    """SHA-256 of a blob put before; exactly one of `text` and `blob`."""
    note: str = ""
    lock: bool = False
    """Take the lock in the same step."""
    ttl_ms: int = DEFAULT_TTL_MS
    origin: Provenance = Provenance()


class SaveArtifact(Command[Versioned], frozen=True, kw_only=True, tag="artifact.save"):
    """Make a new version under a lock."""

    artifact: str
    fence: int
    base: int
    text: str | None = None
    blob: str | None = None
    note: str = ""
    then: Literal["keep", "release"] = "release"
    origin: Provenance = Provenance()


class MoveArtifact(Command[Versioned], frozen=True, kw_only=True, tag="artifact.move"):
    """Give an artifact another path, under its lock."""

    artifact: str
    fence: int
    base: int
    path: str
    note: str = ""
    then: Literal["keep", "release"] = "release"


class DeleteArtifact(Command[Versioned], frozen=True, kw_only=True, tag="artifact.delete"):
    """Take an artifact out of the folder, under its lock; its versions stay."""

    artifact: str
    fence: int
    base: int
    note: str = ""


class RestoreArtifact(Command[Versioned], frozen=True, kw_only=True, tag="artifact.restore"):
    """Make a new version with the bytes of an older one, under the lock."""

    artifact: str
    fence: int
    base: int
    version: int
    """The version whose bytes come back."""
    note: str = ""
    then: Literal["keep", "release"] = "release"


# --- locks ------------------------------------------------------------------------------------------


class Granted(Struct, frozen=True):
    """`state` is `held` (with fence, version, deadline_ms) or `queued` (with ticket, position)."""

    state: Literal["held", "queued"]
    fence: int | None = None
    version: int | None = None
    """Of the artifact, at the grant."""
    deadline_ms: int | None = None
    """Milliseconds until the lease runs out."""
    ticket: str | None = None
    position: int | None = None
    """From 1 = next."""


class AcquireLock(Command[Granted], frozen=True, kw_only=True, tag="lock.acquire"):
    """Take the lock of a whole artifact, or queue for it."""

    artifact: str
    wait: bool = False
    """False = `busy` when somebody holds it; True = a ticket in its queue."""
    ttl_ms: int = DEFAULT_TTL_MS
    purpose: str = ""


class Renewed(Struct, frozen=True):
    """Milliseconds until the lease runs out."""

    deadline_ms: int


class RenewLock(Command[Renewed], frozen=True, kw_only=True, tag="lock.renew"):
    """Keep a lock or a ticket alive; revives a lapsed lock nobody took. Writes no event unless it revives."""

    artifact: str
    fence: int | None = None
    ticket: str | None = None
    active: bool = True
    """False = the holder is there but did nothing; it goes idle after a while."""


class ReleaseLock(Command[Done], frozen=True, kw_only=True, tag="lock.release"):
    """Give the lock back."""

    artifact: str
    fence: int
    draft: Literal["keep", "drop"] = "keep"


class CancelTicket(Command[Done], frozen=True, kw_only=True, tag="lock.cancel"):
    """Leave the queue."""

    ticket: str


class TransferLock(Command[Done], frozen=True, kw_only=True, tag="lock.transfer"):
    """Hand the lock to another actor."""

    artifact: str
    fence: int
    to: str
    to_kind: ActorKind = "human"
    to_client: str | None = None
    """None = any process of that actor."""
    with_draft: bool = True


class Forced(Struct, frozen=True):
    """Fence of the new lock; None when it was only ended."""

    fence: int | None = None


class ForceLock(Command[Forced], frozen=True, kw_only=True, tag="lock.force"):
    """End another's lock, with a reason that they are told; their draft is kept."""

    artifact: str
    reason: str
    take: bool = False
    ttl_ms: int = DEFAULT_TTL_MS


# --- drafts -----------------------------------------------------------------------------------------


class Have(Struct, frozen=True):
    """Bytes of the draft that are stored."""

    have: int


class AppendDraft(Command[Have], frozen=True, kw_only=True, tag="draft.append"):
    """Add text to the draft under a fence. Idempotent by offset; writes no event."""

    artifact: str
    fence: int
    off: int
    """Offset in bytes of UTF-8 at which `text` starts."""
    text: str
    cut: bool = False
    """True = the draft ends at `off` before `text` is added, as an editor that changed the middle needs."""


class Adopted(Struct, frozen=True):
    """The fence under which the draft now lives."""

    fence: int


class AdoptDraft(Command[Adopted], frozen=True, kw_only=True, tag="draft.adopt"):
    """Take the lock and go on with an orphan draft."""

    draft: str
    ttl_ms: int = DEFAULT_TTL_MS


class DiscardDraft(Command[Done], frozen=True, kw_only=True, tag="draft.discard"):
    """Let an orphan draft go."""

    draft: str


# --- variations -------------------------------------------------------------------------------------


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


# --- runs and gates ---------------------------------------------------------------------------------


class Leased(Struct, frozen=True):
    """The fence under which a run may be written to."""

    fence: int


class StartRun(Command[Leased], frozen=True, kw_only=True, tag="run.start"):
    """Begin a run of a flow; the sender drives it under a lease."""

    run: str = field(default_factory=uuid7)
    flow: str
    flow_sha256: str
    flow_text: str
    inputs: dict[str, Any] = {}
    options: dict[str, Any] = {}
    ttl_ms: int = DEFAULT_TTL_MS


class ClaimRun(Command[Leased], frozen=True, kw_only=True, tag="run.claim"):
    """Go on with a run that waits, was cancelled or failed, or whose driver is gone."""

    run: str
    ttl_ms: int = DEFAULT_TTL_MS


class RenewRun(Command[Renewed], frozen=True, kw_only=True, tag="run.renew"):
    """Keep driving a run; writes no event."""

    run: str
    fence: int


class RecordStep(Command[Done], frozen=True, kw_only=True, tag="run.step"):
    """Record that a step started, completed, failed or was skipped."""

    run: str
    fence: int
    key: str
    kind: str
    status: Literal["started", "completed", "failed", "skipped"]
    attempt: int = 1
    result: dict[str, Any] = {}
    error: dict[str, Any] | None = None
    usage: dict[str, Any] = {}


class StreamStep(Command[Have], frozen=True, kw_only=True, tag="run.stream"):
    """Show a step's answer while it is being written. Writes no event; `off` 0 starts over."""

    run: str
    fence: int
    key: str
    off: int
    text: str


class FinishRun(Command[Done], frozen=True, kw_only=True, tag="run.finish"):
    """End or stop a run and its lease."""

    run: str
    fence: int
    status: Literal["waiting", "completed", "failed", "rejected", "cancelled"]
    exit_code: int
    error: dict[str, Any] | None = None
    outputs: dict[str, Any] = {}
    totals: dict[str, Any] = {}


class OpenGate(Command[Done], frozen=True, kw_only=True, tag="gate.open"):
    """Ask a person."""

    gate: str = field(default_factory=uuid7)
    run: str | None = None
    fence: int | None = None
    """Of the run, when the gate belongs to one."""
    step: str | None = None
    kind: str
    question: str
    options: list[str] = []
    context: dict[str, Any] = {}


class AnswerGate(Command[Done], frozen=True, kw_only=True, tag="gate.answer"):
    """Answer a question; people only."""

    gate: str
    answer: str
    reason: str | None = None


# --- several at once --------------------------------------------------------------------------------


class Results(Struct, frozen=True):
    """The answers of a batch, in its order."""

    results: list[Any]


class Batch(Command[Results], frozen=True, kw_only=True, tag="batch"):
    """Commands that happen all together or not at all; at most 64, no batch inside."""

    cmds: list[Any]
    """`Command` values in process; `{"cmd", "args"}` objects on the wire."""


def _leaves(root: type[Any]) -> dict[str, type[Command[Any]]]:
    found: dict[str, type[Command[Any]]] = {}
    for child in root.__subclasses__():
        tag = child.__struct_config__.tag
        if isinstance(tag, str) and (tag == "batch" or "." in tag):
            found[tag] = child
        found.update(_leaves(child))
    return found


COMMANDS: dict[str, type[Command[Any]]] = _leaves(Command)
"""Command class of each name on the wire."""

SILENT = frozenset({"lock.renew", "draft.append", "run.renew", "run.stream"})
"""Commands that store no reply: fence and offset make them idempotent."""
