"""Commands about the lock of an artifact and its queue."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from flowide.domain.actors import ActorKind
from flowide.domain.commands.base import DEFAULT_TTL_MS, Command, Done


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
