"""Answers about locks and their queues."""

from __future__ import annotations

from flowide.domain import rows
from flowide.domain.actors import Now
from flowide.domain.leases import lease_key, left_ms
from flowide.domain.view import View
from flowide.space import queries as q
from flowide.space.reads.base import Answers


def _locks(view: View, query: q.Locks, now: Now) -> list[q.LockState]:
    if query.artifact is not None:
        return [_lock_state(view, view.get(rows.Lock, query.artifact) or rows.Lock(query.artifact), now)]
    found = [*view.find(rows.Lock, state="held"), *view.find(rows.Lock, state="lapsed")]
    return sorted((_lock_state(view, lock, now) for lock in found), key=lambda state: state.path)


def _lock_state(view: View, lock: rows.Lock, now: Now) -> q.LockState:
    artifact = view.get(rows.Artifact, lock.artifact)
    lease = view.get(rows.Lease, lease_key("lock", lock.artifact))
    queue = view.find(rows.Ticket, order="seq", artifact=lock.artifact)
    expires: int | None = None
    idle: int | None = None
    if lock.state != "free":
        expires = left_ms(lock, lease, now, waiting=bool(queue))
        idle = now.mono_ms - lease.active_ms if lease is not None and lease.boot == now.boot else None
    return q.LockState(
        lock=lock,
        path="" if artifact is None else artifact.path,
        version=0 if artifact is None else artifact.version,
        expires_ms=expires,
        idle_ms=idle,
        queue=queue,
    )


ANSWERS: Answers = {
    q.Locks: _locks,
}
