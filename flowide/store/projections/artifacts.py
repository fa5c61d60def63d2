"""Folds of artifact events."""

from __future__ import annotations

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.events import Event
from flowide.domain.paths import path_key
from flowide.domain.view import View
from flowide.store.projections.base import Changes, Folds, must


def _version(event: Event, fact: f.Saved) -> r.Version:
    return r.Version(
        artifact=fact.artifact,
        version=fact.version,
        base=fact.base,
        path=fact.path,
        sha256=fact.sha256,
        size=fact.size,
        fence=fact.fence,
        note=fact.note,
        actor=event.actor["id"],
        kind=event.actor["kind"],
        for_=event.actor.get("for"),
        model=fact.model,
        run=fact.run,
        step=fact.step,
        parents=fact.parents,
        seq=event.seq,
        ts=event.ts,
    )


def _created(view: View, event: Event, fact: f.ArtifactCreated) -> Changes:
    artifact = r.Artifact(
        fact.artifact, fact.path, path_key(fact.path), fact.kind, fact.version, fact.sha256, fact.size
    )
    return Changes([artifact, _version(event, fact)])


def _saved(view: View, event: Event, fact: f.Saved) -> Changes:
    row = must(view, event, r.Artifact, fact.artifact)
    deleted = isinstance(fact, f.ArtifactDeleted)
    row = r.Artifact(
        id=row.id,
        path=fact.path,
        path_key=f"!{row.id}" if deleted else path_key(fact.path),
        kind=row.kind,
        version=fact.version,
        sha256=fact.sha256,
        size=fact.size,
        deleted=deleted,
    )
    return Changes([row, _version(event, fact)])


FOLDS: Folds = {
    f.ArtifactCreated: _created,
    f.ArtifactSaved: _saved,
    f.ArtifactMoved: _saved,
    f.ArtifactDeleted: _saved,
    f.ArtifactRestored: _saved,
}
