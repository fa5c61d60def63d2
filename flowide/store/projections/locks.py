"""Folds of lock events."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.events import Event
from flowide.domain.view import View
from flowide.store.projections.base import Changes, Folds, must


def _held(
    event: Event,
    holder: f.Holder,
    *,
    artifact: str,
    fence: int,
    purpose: str,
    ttl_ms: int,
    ticket: str | None = None,
) -> r.Lock:
    kind: Any = holder.kind
    return r.Lock(
        artifact=artifact,
        state="held",
        fence=fence,
        actor=holder.actor,
        kind=kind,
        for_=holder.for_,
        client=holder.client,
        purpose=purpose,
        since=event.ts,
        ttl_ms=ttl_ms,
        ticket=ticket,
    )


def _acquired(view: View, event: Event, fact: f.LockAcquired) -> Changes:
    return Changes(
        [
            _held(
                event,
                fact.holder,
                artifact=fact.artifact,
                fence=fact.fence,
                purpose=fact.purpose,
                ttl_ms=fact.ttl_ms,
                ticket=fact.ticket,
            )
        ]
    )


def _lapsed(view: View, event: Event, fact: f.LockLapsed) -> Changes:
    return Changes([structs.replace(must(view, event, r.Lock, fact.artifact), state="lapsed")])


def _revived(view: View, event: Event, fact: f.LockRevived) -> Changes:
    return Changes([structs.replace(must(view, event, r.Lock, fact.artifact), state="held")])


def _released(view: View, event: Event, fact: f.LockReleased) -> Changes:
    return Changes([r.Lock(fact.artifact, fence=fact.fence)])


def _transferred(view: View, event: Event, fact: f.LockTransferred) -> Changes:
    before = must(view, event, r.Lock, fact.artifact)
    return Changes(
        [
            _held(
                event,
                fact.to,
                artifact=fact.artifact,
                fence=fact.new_fence,
                purpose=before.purpose,
                ttl_ms=fact.ttl_ms,
            )
        ]
    )


def _forced(view: View, event: Event, fact: f.LockForced) -> Changes:
    if fact.new_fence is None:
        return Changes([r.Lock(fact.artifact, fence=fact.fence)])
    return Changes(
        [
            _held(
                event,
                fact.by,
                artifact=fact.artifact,
                fence=fact.new_fence,
                purpose=fact.reason,
                ttl_ms=fact.ttl_ms,
            )
        ]
    )


def _queued(view: View, event: Event, fact: f.LockQueued) -> Changes:
    kind: Any = fact.kind
    return Changes(
        [
            r.Ticket(
                id=fact.ticket,
                artifact=fact.artifact,
                actor=fact.actor,
                kind=kind,
                for_=fact.for_,
                client=fact.client,
                purpose=fact.purpose,
                ttl_ms=fact.ttl_ms,
                seq=event.seq,
            )
        ]
    )


def _dequeued(view: View, event: Event, fact: f.LockDequeued) -> Changes:
    return Changes(drop=[must(view, event, r.Ticket, fact.ticket)])


FOLDS: Folds = {
    f.LockAcquired: _acquired,
    f.LockLapsed: _lapsed,
    f.LockRevived: _revived,
    f.LockReleased: _released,
    f.LockTransferred: _transferred,
    f.LockForced: _forced,
    f.LockQueued: _queued,
    f.LockDequeued: _dequeued,
}
