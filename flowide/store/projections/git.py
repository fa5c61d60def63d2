"""Folds of events about git."""

from __future__ import annotations

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.events import Event
from flowide.domain.view import View
from flowide.store.projections.base import Changes, Folds


def _committed(view: View, event: Event, fact: f.ArtifactCommitted) -> Changes:
    return Changes(
        [
            r.Commit(
                artifact=fact.artifact,
                version=fact.version,
                path=fact.path,
                commit=fact.commit,
                ref=fact.ref,
                actor=event.actor["id"],
                seq=event.seq,
                ts=event.ts,
            )
        ]
    )


FOLDS: Folds = {f.ArtifactCommitted: _committed}
