"""Locks and the tickets that wait for them."""

from __future__ import annotations

from typing import Literal

from flowide.domain.actors import ActorKind
from flowide.domain.rows.base import Row


class Lock(Row, frozen=True):
    """The lock of an artifact. No row = free with fence 0."""

    TABLE = "locks"
    KEY = ("artifact",)

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
    ticket: str | None = None
    """The ticket this grant answered."""


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
