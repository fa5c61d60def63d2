"""Flow runs and their steps."""

from __future__ import annotations

from typing import Any, Literal

from flowide.domain.rows.base import Row


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
    status: Literal["queued", "running", "waiting", "completed", "failed", "rejected", "cancelled"]
    queued: bool
    """Workers take it when nobody drives it: it was put into the queue."""
    fence: int
    """Of whoever drives it now or did last; 0 = nobody has."""
    actor: str
    client: str
    outputs: dict[str, Any]
    totals: dict[str, Any]
    error: dict[str, Any] | None
    exit_code: int | None
    seq: int
    """Of `run.started` or `run.queued`."""
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
