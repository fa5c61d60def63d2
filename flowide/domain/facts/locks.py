"""What happens to locks and their queues."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from flowide.domain.facts.base import Fact


class Holder(Struct, frozen=True, rename={"for_": "for"}):
    """Who holds a lock, and with which process."""

    actor: str
    client: str
    kind: str = "human"
    for_: str | None = None


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
