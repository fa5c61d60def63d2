"""Leases: how long a lock, a ticket or a run lives without a renewal. They are rows without events."""

from __future__ import annotations

from typing import Literal

from flowide.domain.actors import Now
from flowide.domain.facts import Holder
from flowide.domain.outcome import Outcome
from flowide.domain.rows import Lease, Lock


def lease_key(kind: Literal["lock", "ticket", "run"], id: str) -> str:
    """Key of the lease of a lock (by artifact), ticket or run."""
    return f"{kind}:{id}"


def new_lease(key: str, fence: int, ttl_ms: int, now: Now, *, holder: str = "") -> Lease:
    """A lease that starts now."""
    return Lease(key, fence, now.mono_ms + ttl_ms, now.boot, now.mono_ms, now.mono_ms, holder)


def lock_lease(artifact: str, fence: int, ttl_ms: int, now: Now, holder: Holder) -> Lease:
    """The lease of a lock that is granted now."""
    owner = owner_of(holder.client, holder.actor)
    return new_lease(lease_key("lock", artifact), fence, ttl_ms, now, holder=owner)


def owner_of(client: str, actor: str) -> str:
    """What `Lease.holder` says of who holds a lock."""
    return f"{client} {actor}"


def lease_alive(lease: Lease | None, now: Now) -> bool:
    """Whether a lease has not run out; leases of another boot have."""
    return lease is not None and lease.boot == now.boot and now.mono_ms < lease.deadline_ms


def anchored(lease: Lease | None, lock: Lock, now: Now, out: Outcome) -> Lease | None:
    """The lease; one from a later moment of this boot, as a machine set back leaves it, starts again now."""
    if lease is None or lease.boot != now.boot or lease.active_ms <= now.mono_ms:
        return lease
    fresh = new_lease(lease.key, lease.fence, lock.ttl_ms, now, holder=lease.holder)
    out.put.append(fresh)
    return fresh


def idle(lock: Lock, lease: Lease, now: Now) -> bool:
    """Whether the holder has shown no sign of work for too long."""
    return lease.boot != now.boot or now.mono_ms - lease.active_ms >= now.policy.idle_ms(lock.kind or "human")


def left_ms(lock: Lock, lease: Lease | None, now: Now, *, waiting: bool) -> int:
    """Milliseconds until a held lock lapses when its holder does nothing more; 0 = it is due.

    `waiting` says whether somebody is in its queue.
    """
    if lease is None or lease.boot != now.boot:
        return 0
    ends = [lease.deadline_ms, lease.active_ms + now.policy.idle_ms(lock.kind or "human")]
    if lock.kind == "agent" and waiting:
        ends.append(lease.since_ms + now.policy.agent_hold_ms)
    return max(0, min(ends) - now.mono_ms)
