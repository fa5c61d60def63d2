"""Commands about flow runs, which are leased like artifacts."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from flowide.domain.commands.base import DEFAULT_TTL_MS, Command, Done
from flowide.domain.commands.drafts import Have
from flowide.domain.commands.locks import Renewed
from flowide.domain.ids import uuid7


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


class QueueRun(Command[Done], frozen=True, kw_only=True, tag="run.queue"):
    """Put a new run into the queue: the first worker that claims it begins it."""

    run: str = field(default_factory=uuid7)
    flow: str
    flow_sha256: str
    flow_text: str
    inputs: dict[str, Any] = {}
    options: dict[str, Any] = {}


class ClaimRun(Command[Leased], frozen=True, kw_only=True, tag="run.claim"):
    """Drive a run that is queued, waits, was cancelled or failed, or whose driver is gone."""

    run: str
    ttl_ms: int = DEFAULT_TTL_MS


class RenewRun(Command[Renewed], frozen=True, kw_only=True, tag="run.renew"):
    """Keep driving a run; writes no event."""

    run: str
    fence: int


class Cancelled(Struct, frozen=True):
    """Whether a run has stopped, or who drives it was asked to."""

    ended: bool
    """False = its driver has been asked, and ends it."""


class CancelRun(Command[Cancelled], frozen=True, kw_only=True, tag="run.cancel"):
    """Stop a run, also one that another process drives: that one is asked, and saves its state first."""

    run: str
    reason: str = ""


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
    manifest: str | None = None
    """What the agent is told, as JSON; kept as a blob that the result names as `manifest`. None = there is none."""
    reply: str | None = None
    """Text of an answer, at most 256 KiB; kept as a blob that the result names as `reply`. None = there is none."""


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
    status: Literal["queued", "waiting", "completed", "failed", "rejected", "cancelled"]
    """`queued` = a worker goes on with it."""
    exit_code: int
    error: dict[str, Any] | None = None
    outputs: dict[str, Any] = {}
    totals: dict[str, Any] = {}
