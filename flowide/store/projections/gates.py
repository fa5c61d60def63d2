"""Folds of gate events."""

from __future__ import annotations

from msgspec import structs

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.events import Event
from flowide.domain.view import View
from flowide.store.projections.base import Changes, Folds, must


def _gate_opened(view: View, event: Event, fact: f.GateOpened) -> Changes:
    return Changes(
        [
            r.Gate(
                id=fact.gate,
                run=fact.run,
                step=fact.step,
                kind=fact.kind,
                question=fact.question,
                options=fact.options,
                context=fact.context,
                status="open",
                answer=None,
                reason=None,
                by=None,
                seq=event.seq,
                ts=event.ts,
            )
        ]
    )


def _gate_answered(view: View, event: Event, fact: f.GateAnswered) -> Changes:
    gate = must(view, event, r.Gate, fact.gate)
    return Changes(
        [
            structs.replace(
                gate, status="answered", answer=fact.answer, reason=fact.reason, by=event.actor["id"]
            )
        ]
    )


FOLDS: Folds = {
    f.GateOpened: _gate_opened,
    f.GateAnswered: _gate_answered,
}
