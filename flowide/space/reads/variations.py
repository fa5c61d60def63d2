"""Answers about variation sets."""

from __future__ import annotations

from flowide.domain import rows
from flowide.domain.actors import Now
from flowide.domain.view import View
from flowide.errors import NotFound
from flowide.space import queries as q
from flowide.space.reads.base import Answers, blob_of, by_start


def _sets(view: View, query: q.VariationSets, now: Now) -> list[rows.VariationSet]:
    return view.find(rows.VariationSet, order="-seq")


def _one_set(view: View, query: q.OneVariationSet, now: Now) -> q.SetView:
    found = view.get(rows.VariationSet, query.ref) or by_start(
        query.ref, view.find(rows.VariationSet, order="-seq"), "variation set", "flowide variations list"
    )
    checks: dict[int, list[rows.Check]] = {}
    for check in view.find(rows.Check, order="seq", set=found.id):
        checks.setdefault(check.number, []).append(check)
    variations = view.find(rows.Variation, order="number", set=found.id)
    return q.SetView(found, [q.VariationView(each, checks.get(each.number, [])) for each in variations])


def _variation_text(view: View, query: q.VariationText, now: Now) -> str:
    if query.number == 0:
        group = view.get(rows.VariationSet, query.set)
        if group is None:
            raise NotFound(f"there is no variation set {query.set[:100]}")
        return "" if group.base_sha256 is None else blob_of(view, group.base_sha256, "the base").decode()
    row = view.get(rows.Variation, query.set, query.number)
    if row is None:
        raise NotFound(f"the set has no variation {query.number}")
    return blob_of(view, row.sha256, f"variation {query.number}").decode()


ANSWERS: Answers = {
    q.VariationSets: _sets,
    q.OneVariationSet: _one_set,
    q.VariationText: _variation_text,
}
