"""Leases after the hub was away: nobody could renew, so each gets its whole time again."""

from __future__ import annotations

from msgspec.structs import replace

from flowide.domain.actors import Now
from flowide.domain.rows import Lease, Lock, Run, Ticket
from flowide.domain.view import View
from flowide.store.api import Store


def grant_again(store: Store, now: Now) -> int:
    """Begin all leases anew, unless somebody has renewed one lately: then another hub is there. How many were begun.

    Raises:
        StorageFailed: Nothing was changed.
    """
    with store.write() as tx:
        terms = {lease: ttl for lease in tx.find(Lease) if (ttl := _term(tx, lease)) is not None}
        if any(_was_renewed_lately(lease, ttl, now) for lease, ttl in terms.items()):
            return 0
        tx.put(
            replace(
                lease,
                deadline_ms=now.mono_ms + ttl,
                boot=now.boot,
                active_ms=now.mono_ms,
                since_ms=now.mono_ms,
            )
            for lease, ttl in terms.items()
        )
        return len(terms)


def _was_renewed_lately(lease: Lease, ttl_ms: int, now: Now) -> bool:
    """Whoever is there renews every third of the time."""
    return lease.boot == now.boot and now.mono_ms - (lease.deadline_ms - ttl_ms) < ttl_ms / 2


def _term(view: View, lease: Lease) -> int | None:
    """Milliseconds that a lease lasts; None when it is of nothing that is still held."""
    kind, _, id = lease.key.partition(":")
    if kind == "lock":
        lock = view.get(Lock, id)
        held = lock is not None and lock.state == "held" and lock.fence == lease.fence
        return lock.ttl_ms if lock is not None and held else None
    if kind == "ticket":
        ticket = view.get(Ticket, id)
        return None if ticket is None else ticket.ttl_ms
    run = view.get(Run, id)
    running = run is not None and run.status == "running"
    return max(500, lease.deadline_ms - lease.active_ms) if running else None
