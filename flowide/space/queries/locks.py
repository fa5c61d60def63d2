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
    """Milliseconds until the lock lapses when its holder does nothing more: the lease runs out, or the holder is
    idle for too long, or an agent has held it for too long while others wait; 0 when that is due; None when free."""
    idle_ms: int | None
    queue: list[rows.Ticket]


class Locks(Query[list[LockState]], frozen=True):
    """Locks that are held, lapsed or waited for; with `artifact` just that one, free or not."""

    artifact: str | None = None
