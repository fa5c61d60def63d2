"""Answers about decisions."""

from __future__ import annotations

from typing import Any

from flowide.domain import rows
from flowide.domain.actors import Now
from flowide.domain.view import View
from flowide.patterns import lazy
from flowide.space import queries as q
from flowide.space.reads.base import Answers, by_start

_NUMBER = lazy(r"[dD]?(\d{1,7})")


def _decisions(view: View, query: q.Decisions, now: Now) -> list[rows.Decision]:
    where: dict[str, Any] = {} if query.status is None else {"status": query.status}
    return view.find(rows.Decision, order="number", **where)


def _one_decision(view: View, query: q.OneDecision, now: Now) -> rows.Decision:
    numbered = _NUMBER.fullmatch(query.ref.strip())
    if numbered:
        found = view.find(rows.Decision, number=int(numbered[1]), limit=1)
        if found:
            return found[0]
    newest_first = view.find(rows.Decision, order="-number")
    return by_start(query.ref, newest_first, "decision", "flowide decisions")


ANSWERS: Answers = {
    q.Decisions: _decisions,
    q.OneDecision: _one_decision,
}
