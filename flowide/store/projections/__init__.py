"""Projections: what each event changes in the tables. Pure, so every store and every rebuild folds alike."""

from __future__ import annotations

from flowide.domain import facts as f
from flowide.domain.events import Event
from flowide.domain.view import View
from flowide.store.projections import (
    artifacts,
    decisions,
    discussion,
    drafts,
    gates,
    git,
    locks,
    members,
    reviews,
    runs,
    variations,
)
from flowide.store.projections.base import BrokenLog, Changes, Folds


def project(view: View, event: Event, fact: f.Fact | None = None) -> Changes:
    """What an event changes; an unknown type changes nothing.

    `fact` is the event's typed data, when the caller has it at hand.
    """
    fact = event.fact() if fact is None else fact
    if fact is None:
        return Changes()
    return FOLDS[type(fact)](view, event, fact)


FOLDS: Folds = {
    **artifacts.FOLDS,
    **locks.FOLDS,
    **drafts.FOLDS,
    **variations.FOLDS,
    **runs.FOLDS,
    **gates.FOLDS,
    **git.FOLDS,
    **discussion.FOLDS,
    **decisions.FOLDS,
    **reviews.FOLDS,
    **members.FOLDS,
}

__all__ = ["FOLDS", "BrokenLog", "Changes", "Folds", "project"]
