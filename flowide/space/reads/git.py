"""Answers about versions in git."""

from __future__ import annotations

from flowide.domain import rows
from flowide.domain.actors import Now
from flowide.domain.view import View
from flowide.space import queries as q
from flowide.space.reads.base import Answers


def _commits(view: View, query: q.Commits, now: Now) -> list[rows.Commit]:
    if query.artifact is None:
        return view.find(rows.Commit, order="seq")
    return view.find(rows.Commit, order="version", artifact=query.artifact)


ANSWERS: Answers = {q.Commits: _commits}
