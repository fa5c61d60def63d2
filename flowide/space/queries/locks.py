"""Questions about locks and their queues."""

from __future__ import annotations

from msgspec import Struct

from flowide.domain import rows
from flowide.space.queries.base import Query


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
