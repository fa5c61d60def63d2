"""Folds of review events."""

from __future__ import annotations

from msgspec import structs

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.events import Event
from flowide.domain.view import View
from flowide.store.projections.base import Changes, Folds, must


def _opened(view: View, event: Event, fact: f.ReviewOpened) -> Changes:
    row = r.Review(
        id=fact.review,
        artifact=fact.artifact,
        path=fact.path,
        kind=fact.kind,
        brief=fact.brief,
        stages=fact.stages,
        rounds=fact.rounds,
        status="open",
        stage="",
        round=1,
        version=0,
        handovers=0,
        verdicts=0,
        why="",
        run=fact.run,
        actor=event.actor["id"],
        seq=event.seq,
        ts=event.ts,
        finished=None,
    )
    return Changes([row])


def _handed_over(view: View, event: Event, fact: f.ReviewHandedOver) -> Changes:
    review = must(view, event, r.Review, fact.review)
    review = structs.replace(
        review, stage=fact.stage, round=fact.round, version=fact.version, handovers=fact.number
    )
    row = r.Handover(
        review=fact.review,
        number=fact.number,
        stage=fact.stage,
        round=fact.round,
        artifact=fact.artifact,
        version=fact.version,
        base=fact.base,
        author=fact.author,
        refused=fact.refused,
        seq=event.seq,
        ts=event.ts,
    )
    return Changes([review, row])


def _judged(view: View, event: Event, fact: f.ReviewJudged) -> Changes:
    review = must(view, event, r.Review, fact.review)
    review = structs.replace(
        review, stage=fact.stage, round=fact.round, version=fact.version, verdicts=fact.number
    )
    row = r.Verdict(
        review=fact.review,
        number=fact.number,
        stage=fact.stage,
        round=fact.round,
        artifact=fact.artifact,
        artifact_kind=review.kind,
        version=fact.version,
        verdict=fact.verdict,
        reasons=fact.reasons,
        summary=fact.summary,
        back_to=fact.back_to,
        actor=fact.by or event.actor["id"],
        kind="human" if fact.by else event.actor["kind"],
        seq=event.seq,
        ts=event.ts,
    )
    return Changes([review, row])


def _approved(view: View, event: Event, fact: f.ReviewApproved) -> Changes:
    review = must(view, event, r.Review, fact.review)
    ended = structs.replace(review, status="approved", version=fact.version, why=fact.why, finished=event.ts)
    return Changes([ended])


def _rejected(view: View, event: Event, fact: f.ReviewRejected) -> Changes:
    review = must(view, event, r.Review, fact.review)
    ended = structs.replace(review, status="rejected", version=fact.version, why=fact.why, finished=event.ts)
    return Changes([ended])


FOLDS: Folds = {
    f.ReviewOpened: _opened,
    f.ReviewHandedOver: _handed_over,
    f.ReviewJudged: _judged,
    f.ReviewApproved: _approved,
    f.ReviewRejected: _rejected,
}
