"""Answers about questions to people."""

from __future__ import annotations

from typing import Any

from flowide.domain import rows
from flowide.domain.actors import Now
from flowide.domain.view import View
from flowide.space import queries as q
from flowide.space.reads.base import Answers


def _gates(view: View, query: q.Gates, now: Now) -> list[rows.Gate]:
    where: dict[str, Any] = {}
    if query.status is not None:
        where["status"] = query.status
    if query.run is not None:
        where["run"] = query.run
    return view.find(rows.Gate, order="-seq", **where)


ANSWERS: Answers = {
    q.Gates: _gates,
}
