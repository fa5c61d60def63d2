"""What happens to flow runs."""

from __future__ import annotations

from typing import Any, Literal

from flowide.domain.facts.base import Fact


class RunStarted(Fact, frozen=True, kw_only=True, tag="run.started"):
    """A flow began."""

    run: str
    flow: str
    flow_sha256: str
    flow_text: str
    inputs: dict[str, Any] = {}
    options: dict[str, Any] = {}
    fence: int = 1


class RunQueued(Fact, frozen=True, kw_only=True, tag="run.queued"):
    """A run of a flow was put into the queue."""

    run: str
    flow: str
    flow_sha256: str
    flow_text: str
    inputs: dict[str, Any] = {}
    options: dict[str, Any] = {}


class RunClaimed(Fact, frozen=True, kw_only=True, tag="run.claimed"):
    """A process drives the run from now on: it begins one of the queue, or goes on with one that stopped."""

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


class RunCancelAsked(Fact, frozen=True, kw_only=True, tag="run.cancel_asked"):
    """Somebody wants a run stopped that a process drives; that process ends it."""

    run: str
    reason: str = ""


class RunFinished(Fact, frozen=True, kw_only=True, tag="run.finished"):
    """A run ended or stopped; `waiting` and `cancelled` runs can be resumed, `queued` ones are for workers."""

    run: str
    status: Literal["queued", "waiting", "completed", "failed", "rejected", "cancelled"]
    exit_code: int
    error: dict[str, Any] | None = None
    outputs: dict[str, Any] = {}
    totals: dict[str, Any] = {}
