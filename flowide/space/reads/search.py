"""Answers to searches."""

from __future__ import annotations

from flowide.domain import rows
from flowide.domain.view import View
from flowide.space import queries as q
from flowide.store.api import Store


def search(store: Store, query: q.Search) -> list[q.Hit]:
    """Places where the text was found, best first."""
    found = store.search(query.text, query.limit)
    with store.read() as view:
        return [q.Hit(kind, ref, _title(view, kind, ref), excerpt) for kind, ref, excerpt in found]


def _title(view: View, kind: str, ref: str) -> str:
    if kind == "artifact":
        artifact = view.get(rows.Artifact, ref)
        return ref if artifact is None else artifact.path
    group_id, _, number = ref.rpartition("/")
    group = view.get(rows.VariationSet, group_id)
    return ref if group is None else f"{group.title}, variation {number}"
