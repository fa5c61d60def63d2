"""Folds of variation events."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.events import Event
from flowide.domain.view import View
from flowide.store.projections.base import Changes, Folds, must


def _set_opened(view: View, event: Event, fact: f.VariationSetOpened) -> Changes:
    return Changes(
        [
            r.VariationSet(
                id=fact.set,
                title=fact.title,
                brief=fact.brief,
                path=fact.path,
                artifact=fact.artifact,
                base=fact.base,
                base_sha256=fact.base_sha256,
                piece=fact.piece,
                run=fact.run,
                count=0,
                round=0,
                actor=event.actor["id"],
                seq=event.seq,
                ts=event.ts,
            )
        ]
    )


def _variation_created(view: View, event: Event, fact: f.VariationCreated) -> Changes:
    group = must(view, event, r.VariationSet, fact.set)
    kind: Any = fact.author_kind
    row = r.Variation(
        set=fact.set,
        number=fact.number,
        id=fact.variation,
        round=fact.round,
        origin=fact.origin,
        sha256=fact.sha256,
        size=fact.size,
        actor=fact.author,
        kind=kind,
        model=fact.model,
        run=fact.run,
        step=fact.step,
        parents=fact.parents,
        lineage=fact.lineage,
        input_tokens=fact.input_tokens,
        output_tokens=fact.output_tokens,
        cost_micros=fact.cost_micros,
        tags=[],
        shortlisted=False,
        rejected=False,
        notes=[],
        accepted=None,
        seq=event.seq,
        ts=event.ts,
    )
    return Changes([structs.replace(group, count=fact.number, round=max(group.round, fact.round)), row])


def _variation(view: View, event: Event, set: str, number: int) -> r.Variation:
    return must(view, event, r.Variation, set, number)


def _checked(view: View, event: Event, fact: f.VariationChecked) -> Changes:
    return Changes(
        [
            r.Check(
                set=fact.set,
                number=fact.number,
                name=fact.name,
                status=fact.status,
                duration_ms=fact.duration_ms,
                metrics=fact.metrics,
                output=fact.output,
                seq=event.seq,
            )
        ]
    )


def _tagged(view: View, event: Event, fact: f.VariationTagged) -> Changes:
    row = _variation(view, event, fact.set, fact.number)
    tags = [tag for tag in row.tags if tag not in fact.remove]
    tags += [tag for tag in dict.fromkeys(fact.add) if tag not in tags]
    return Changes([structs.replace(row, tags=tags)])


def _shortlisted(view: View, event: Event, fact: f.VariationShortlisted) -> Changes:
    return Changes([structs.replace(_variation(view, event, fact.set, fact.number), shortlisted=fact.on)])


def _rejected(view: View, event: Event, fact: f.VariationRejected) -> Changes:
    return Changes([structs.replace(_variation(view, event, fact.set, fact.number), rejected=fact.on)])


def _noted(view: View, event: Event, fact: f.VariationNoted) -> Changes:
    row = _variation(view, event, fact.set, fact.number)
    note = {
        "text": fact.text,
        "actor": event.actor["id"],
        "kind": fact.kind,
        "score": fact.score,
        "ts": event.ts,
    }
    return Changes([structs.replace(row, notes=[*row.notes, note])])


def _accepted(view: View, event: Event, fact: f.VariationAccepted) -> Changes:
    return Changes([structs.replace(_variation(view, event, fact.set, fact.number), accepted=fact.version)])


FOLDS: Folds = {
    f.VariationSetOpened: _set_opened,
    f.VariationCreated: _variation_created,
    f.VariationChecked: _checked,
    f.VariationTagged: _tagged,
    f.VariationShortlisted: _shortlisted,
    f.VariationRejected: _rejected,
    f.VariationNoted: _noted,
    f.VariationAccepted: _accepted,
}
