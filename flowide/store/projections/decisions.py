"""Folds of decision events."""

from __future__ import annotations

from msgspec import structs

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.events import Event
from flowide.domain.view import View
from flowide.store.projections.base import Changes, Folds, must


def _proposed(view: View, event: Event, fact: f.DecisionProposed) -> Changes:
    row = r.Decision(
        id=fact.decision,
        number=fact.number,
        text=fact.text,
        status="open",
        thread=fact.thread,
        message=fact.message,
        refs=fact.refs,
        run=fact.run,
        actor=event.actor["id"],
        kind=event.actor["kind"],
        agreed_by=None,
        superseded_by=None,
        reason="",
        seq=event.seq,
        ts=event.ts,
        changed=event.ts,
    )
    return Changes([row])


def _agreed(view: View, event: Event, fact: f.DecisionAgreed) -> Changes:
    row = must(view, event, r.Decision, fact.decision)
    changes = {"agreed_by": fact.by or event.actor["id"], "reason": fact.reason, "changed": event.ts}
    return Changes([structs.replace(row, status="agreed", **changes)])


def _reopened(view: View, event: Event, fact: f.DecisionReopened) -> Changes:
    row = must(view, event, r.Decision, fact.decision)
    changes = {"agreed_by": None, "superseded_by": None, "reason": fact.reason, "changed": event.ts}
    return Changes([structs.replace(row, status="open", **changes)])


def _superseded(view: View, event: Event, fact: f.DecisionSuperseded) -> Changes:
    row = must(view, event, r.Decision, fact.decision)
    changes = {"superseded_by": fact.by, "reason": fact.reason, "changed": event.ts}
    return Changes([structs.replace(row, status="superseded", **changes)])


FOLDS: Folds = {
    f.DecisionProposed: _proposed,
    f.DecisionAgreed: _agreed,
    f.DecisionReopened: _reopened,
    f.DecisionSuperseded: _superseded,
}
