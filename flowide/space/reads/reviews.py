"""Answers about reviews."""

from __future__ import annotations

from typing import Any

from flowide.domain import rows
from flowide.domain.actors import Now
from flowide.domain.view import View
from flowide.space import queries as q
from flowide.space.reads.base import Answers, by_start

LOOK_BACK = 200
"""Verdicts and hand-overs that are looked at for reasons."""


def _reviews(view: View, query: q.Reviews, now: Now) -> list[rows.Review]:
    where: dict[str, Any] = {} if query.status is None else {"status": query.status}
    return view.find(rows.Review, order="-seq", **where)


def _one_review(view: View, query: q.OneReview, now: Now) -> q.ReviewView:
    found = view.get(rows.Review, query.ref) or by_start(
        query.ref, view.find(rows.Review, order="-seq"), "review", "flowide reviews"
    )
    return q.ReviewView(
        found,
        view.find(rows.Handover, order="number", review=found.id),
        view.find(rows.Verdict, order="number", review=found.id),
    )


def _reasons(view: View, query: q.Reasons, now: Now) -> list[q.Remembered]:
    said: list[tuple[int, str, str, str]] = []
    for verdict in view.find(rows.Verdict, order="-seq", limit=LOOK_BACK, artifact_kind=query.kind):
        if verdict.verdict == "approve":
            continue
        path = _path(view, verdict.artifact)
        said += [(verdict.seq, each["text"], each.get("kind", "other"), path) for each in verdict.reasons]
    for handover in view.find(rows.Handover, order="-seq", limit=LOOK_BACK):
        artifact = view.get(rows.Artifact, handover.artifact)
        if artifact is not None and artifact.kind == query.kind:
            why = [each["why"] for each in handover.refused if each.get("why")]
            said += [(handover.seq, text, "refused", artifact.path) for text in why]
    said.sort(key=lambda each: -each[0])
    found: dict[str, q.Remembered] = {}
    for _, text, kind, path in said:
        key = " ".join(text.casefold().split())
        before = found.get(key)
        times = 1 if before is None else before.times + 1
        found[key] = q.Remembered(text, kind, 1, path) if before is None else _again(before, times)
    return list(found.values())[: query.limit]


def _again(before: q.Remembered, times: int) -> q.Remembered:
    return q.Remembered(before.text, before.kind, times, before.path)


def _path(view: View, artifact: str) -> str:
    row = view.get(rows.Artifact, artifact)
    return artifact if row is None else row.path


ANSWERS: Answers = {
    q.Reviews: _reviews,
    q.OneReview: _one_review,
    q.Reasons: _reasons,
}
