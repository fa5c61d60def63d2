"""Answers to searches."""

from __future__ import annotations

from flowide.domain import rows
from flowide.domain.view import View
from flowide.space import queries as q
from flowide.store.api import Store


def search(store: Store, query: q.Search) -> list[q.Hit]:
    """Places where the text was found, best first."""
    found = store.search(query.text, query.limit, history=query.history)
    with store.read() as view:
        return [q.Hit(hit.kind, hit.ref, _title(view, hit.kind, hit.ref), hit.excerpt) for hit in found]


def _title(view: View, kind: str, ref: str) -> str:
    owner, _, number = ref.rpartition("@" if kind == "version" else "/")
    if kind in {"artifact", "version"}:
        artifact = view.get(rows.Artifact, owner or ref)
        path = ref if artifact is None else artifact.path
        return f"{path}@{number}" if kind == "version" else path
    if kind == "variation":
        group = view.get(rows.VariationSet, owner)
        return ref if group is None else f"{group.title}, variation {number}"
    if kind == "message":
        thread = view.get(rows.Thread, owner)
        return ref if thread is None else f"{thread.title}, message {number}"
    decision = view.get(rows.Decision, ref)
    return ref if decision is None else f"decision {decision.number}"
