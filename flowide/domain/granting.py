"""Who has a lock next: what is due on a lock, its queue, and the grant.

A queue exists only behind a held or lapsed lock: whatever frees a lock grants it to the next live ticket
in the same decision.
"""

from __future__ import annotations

from typing import Literal

from msgspec import structs

from flowide.domain import live_text
from flowide.domain.actors import Caller, Now
from flowide.domain.commands import Done
from flowide.domain.facts import Holder, LockAcquired, LockDequeued, LockLapsed, LockReleased
from flowide.domain.leases import anchored, idle, lease_alive, lease_key, lock_lease, new_lease, owner_of
from flowide.domain.outcome import Outcome
from flowide.domain.rows import Lease, Lock, Ticket
from flowide.domain.view import Decision, View

# --- expiry, evaluated when somebody looks ----------------------------------------------------------


def settle(view: View, artifact: str, now: Now) -> Decision | None:
    """Write the lapses, expired tickets and grants that are due on an artifact; None when nothing is."""
    lock = view.get(Lock, artifact)
    if lock is None or lock.state == "free":
        return None
    lease = view.get(Lease, lease_key("lock", artifact))
    queue = view.find(Ticket, artifact=artifact, order="seq")
    out = Outcome()
    lease = anchored(lease, lock, now, out)
    live = _drop_dead_tickets(view, queue, now, out)
    if lock.state == "held":
        why = _lapse_due(lock, lease, waiting=bool(live), now=now)
        if why is not None:
            out.facts.append(LockLapsed(artifact=artifact, fence=lock.fence, why=why))
            lock = structs.replace(lock, state="lapsed")
    if lock.state == "lapsed" and live:
        live_text.keep_live(view, lock, "lapsed", out)
        _grant_ticket(live[0], lock, now, out, took_over=lock.actor)
    return out.decision(Done()) if out.facts or out.put else None


def _lapse_due(
    lock: Lock, lease: Lease | None, *, waiting: bool, now: Now
) -> Literal["lease", "idle", "overlong"] | None:
    if lease is None or not lease_alive(lease, now):
        return "lease"
    if idle(lock, lease, now):
        return "idle"
    if lock.kind == "agent" and waiting and now.mono_ms - lease.since_ms >= now.policy.agent_hold_ms:
        return "overlong"
    return None


def _drop_dead_tickets(view: View, queue: list[Ticket], now: Now, out: Outcome) -> list[Ticket]:
    live = []
    for ticket in queue:
        lease = view.get(Lease, lease_key("ticket", ticket.id))
        if lease_alive(lease, now):
            live.append(ticket)
        else:
            dequeue(ticket, "expired", out)
    return live


def dequeue(ticket: Ticket, why: Literal["granted", "cancelled", "expired", "forced"], out: Outcome) -> None:
    """End a ticket."""
    out.facts.append(
        LockDequeued(
            artifact=ticket.artifact, ticket=ticket.id, actor=ticket.actor, client=ticket.client, why=why
        )
    )
    key = lease_key("ticket", ticket.id)
    out.drop.append(Lease(key, 0, 0, "", 0, 0))


# --- granting ---------------------------------------------------------------------------------------


def _grant_ticket(ticket: Ticket, lock: Lock, now: Now, out: Outcome, took_over: str | None = None) -> None:
    dequeue(ticket, "granted", out)
    holder = Holder(ticket.actor, ticket.client, ticket.kind, ticket.for_)
    grant(
        lock,
        holder,
        now,
        out,
        ttl_ms=ticket.ttl_ms,
        purpose=ticket.purpose,
        took_over=took_over,
        ticket=ticket.id,
    )


def grant(
    lock: Lock,
    holder: Holder,
    now: Now,
    out: Outcome,
    *,
    ttl_ms: int,
    purpose: str,
    took_over: str | None = None,
    ticket: str | None = None,
) -> int:
    """Give the lock with the next fence; returns that fence."""
    fence = lock.fence + 1
    out.facts.append(
        LockAcquired(
            artifact=lock.artifact,
            fence=fence,
            holder=holder,
            purpose=purpose,
            ttl_ms=ttl_ms,
            took_over=took_over,
            ticket=ticket,
        )
    )
    out.put.append(lock_lease(lock.artifact, fence, ttl_ms, now, holder))
    return fence


def free(view: View, lock: Lock, now: Now, out: Outcome) -> None:
    """End the holder's fence and grant the lock to the next live ticket, if there is one."""
    out.facts.append(LockReleased(artifact=lock.artifact, fence=lock.fence))
    out.drop.append(Lease(lease_key("lock", lock.artifact), 0, 0, "", 0, 0))
    grant_next(view, lock, now, out)


def grant_next(view: View, lock: Lock, now: Now, out: Outcome) -> None:
    """Grant a lock that has just become free to the next live ticket, if there is one."""
    live = _drop_dead_tickets(view, view.find(Ticket, artifact=lock.artifact, order="seq"), now, out)
    if live:
        _grant_ticket(live[0], lock, now, out)


def holder_of(caller: Caller) -> Holder:
    """The caller as a holder."""
    return Holder(caller.actor.id, caller.client, caller.actor.kind, caller.actor.for_)


def keep_alive(view: View, lock: Lock, now: Now, out: Outcome, *, active: bool = True) -> int:
    """Start the lease again; returns the milliseconds it now lives."""
    key = lease_key("lock", lock.artifact)
    before = view.get(Lease, key)
    if before is None or before.boot != now.boot:
        owner = owner_of(lock.client or "", lock.actor or "")
        before = new_lease(key, lock.fence, lock.ttl_ms, now, holder=owner)
    out.put.append(
        structs.replace(
            before,
            fence=lock.fence,
            deadline_ms=now.mono_ms + lock.ttl_ms,
            active_ms=now.mono_ms if active else before.active_ms,
        )
    )
    return lock.ttl_ms
