"""Answers to queries: one file for each feature, each with its part of the table."""

from __future__ import annotations

from typing import Any

from flowide.domain.actors import Now
from flowide.space import queries as q
from flowide.space.reads import (
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
from flowide.space.reads.base import Answers
from flowide.store.api import Store

ANSWERS: Answers = {
    **artifacts.ANSWERS,
    **locks.ANSWERS,
    **drafts.ANSWERS,
    **variations.ANSWERS,
    **runs.ANSWERS,
    **gates.ANSWERS,
    **git.ANSWERS,
    **discussion.ANSWERS,
    **decisions.ANSWERS,
    **reviews.ANSWERS,
    **members.ANSWERS,
}


def answer(query: q.Query[Any], store: Store, now: Now) -> Any:
    """The answer to a query, from one moment of the store."""
    if isinstance(query, q.Search):
        from flowide.space.reads.search import search

        return search(store, query)
    if isinstance(query, q.Stats):
        from flowide.space.reads.stats import stats

        return stats(store, query, now)
    with store.read() as view:
        if isinstance(query, q.Verify):
            from flowide.space.verify import problems

            return problems(view, store)
        return ANSWERS[type(query)](view, query, now)
