"""Folds of draft events."""

from __future__ import annotations

from msgspec import structs

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.events import Event
from flowide.domain.view import View
from flowide.store.projections.base import Changes, Folds, must


def _draft_kept(view: View, event: Event, fact: f.DraftKept) -> Changes:
    return Changes(
        [
            r.Draft(
                id=fact.draft,
                artifact=fact.artifact,
                fence=fact.fence,
                base=fact.base,
                actor=fact.owner,
                sha256=fact.sha256,
                size=fact.size,
                why=fact.why,
                state="kept",
                seq=event.seq,
                ts=event.ts,
            )
        ]
    )


def _draft_adopted(view: View, event: Event, fact: f.DraftAdopted) -> Changes:
    return Changes([structs.replace(must(view, event, r.Draft, fact.draft), state="adopted")])


def _draft_discarded(view: View, event: Event, fact: f.DraftDiscarded) -> Changes:
    return Changes([structs.replace(must(view, event, r.Draft, fact.draft), state=fact.why)])


FOLDS: Folds = {
    f.DraftKept: _draft_kept,
    f.DraftAdopted: _draft_adopted,
    f.DraftDiscarded: _draft_discarded,
}
