"""Rules of reviews: a rejection has reasons and a stage to go back to, rounds are bounded, people end them."""

from __future__ import annotations

from typing import Any

import msgspec

from flowide.domain.actors import Caller, Now
from flowide.domain.commands import (
    Counted,
    Done,
    FinishReview,
    HandOver,
    JudgeReview,
    OpenReview,
    Reason,
)
from flowide.domain.facts import (
    ReviewApproved,
    ReviewHandedOver,
    ReviewJudged,
    ReviewOpened,
    ReviewRejected,
)
from flowide.domain.limits import MAX_NAME, MAX_NOTE, check_text
from flowide.domain.locks import artifact_row
from flowide.domain.rows import Review, Version
from flowide.domain.runs import answered_by
from flowide.domain.view import Decision, View
from flowide.errors import BadInput, Exists, Gone, NotFound

MAX_STAGES, MAX_ROUNDS, MAX_REASONS = 20, 20, 50
MAX_BRIEF = 256 * 1024
PERSON = "person"
"""Who judges a stage that no agent does."""


def open_review(view: View, command: OpenReview, caller: Caller, now: Now) -> Decision:
    """Begin."""
    check_text("review", command.review, MAX_NAME, least=1)
    check_text("brief", command.brief, MAX_BRIEF)
    if view.get(Review, command.review) is not None:
        raise Exists(f"there is a review {command.review} already", hint="Make a new id.")
    row = artifact_row(view, command.artifact)
    if not 1 <= command.rounds <= MAX_ROUNDS:
        raise BadInput(f"{command.rounds} rounds are not possible", hint=f"From 1 to {MAX_ROUNDS}.")
    names = [str(stage.get("stage", "")) for stage in command.stages]
    if not 1 <= len(names) <= MAX_STAGES:
        raise BadInput(f"a review of {len(names)} stages is not possible", hint=f"From 1 to {MAX_STAGES}.")
    for name in names:
        check_text("stage", name, MAX_NAME, least=1)
    if len(set(names)) < len(names):
        raise BadInput("two stages have the same name", hint="Give each a name of its own.")
    opened = ReviewOpened(
        review=command.review,
        artifact=row.id,
        path=row.path,
        kind=row.kind,
        stages=command.stages,
        rounds=command.rounds,
        brief=command.brief,
        run=command.run,
    )
    return Decision(ok=Done(), facts=[opened])


def hand_over(view: View, command: HandOver, caller: Caller, now: Now) -> Decision:
    """Hand a version on."""
    row = _open(view, command.review)
    _check_place(view, row, command.stage, command.round, command.version)
    _version(view, row, command.base)
    fact = ReviewHandedOver(
        review=row.id,
        number=row.handovers + 1,
        stage=command.stage,
        round=command.round,
        artifact=row.artifact,
        version=command.version,
        base=command.base,
        author=command.author or caller.actor.id,
        refused=command.refused,
        run=row.run,
        step=command.step,
    )
    return Decision(ok=Counted(row.handovers + 1), facts=[fact])


def judge(view: View, command: JudgeReview, caller: Caller, now: Now) -> Decision:
    """Say what is thought of a version."""
    row = _open(view, command.review)
    _check_place(view, row, command.stage, command.round, command.version)
    check_text("summary", command.summary, MAX_NOTE)
    if len(command.reasons) > MAX_REASONS:
        raise BadInput(f"{len(command.reasons)} reasons are too many", hint=f"At most {MAX_REASONS}.")
    for reason in command.reasons:
        check_text("reason", reason.text.strip(), MAX_NOTE, least=1)
        check_text("where", reason.where, MAX_NAME)
    if command.verdict == "reject" and not command.reasons:
        raise BadInput("a rejection without reasons helps nobody", hint="Say what has to change.")
    if command.back_to is not None and command.back_to not in _names(row):
        raise BadInput(
            f"the review has no stage {command.back_to[:100]}", hint=f"Stages: {', '.join(_names(row))}."
        )
    back_to = command.back_to or _names(row)[0]
    fact = ReviewJudged(
        review=row.id,
        number=row.verdicts + 1,
        stage=command.stage,
        round=command.round,
        artifact=row.artifact,
        version=command.version,
        verdict=command.verdict,
        reasons=[_stored(reason) for reason in command.reasons],
        summary=command.summary.strip(),
        back_to=back_to if command.verdict == "reject" else None,
        by=answered_by(view, command.gate, caller),
        run=row.run,
        step=command.step,
    )
    return Decision(ok=Counted(row.verdicts + 1), facts=[fact])


def finish(view: View, command: FinishReview, caller: Caller, now: Now) -> Decision:
    """End a review."""
    row = _open(view, command.review)
    _version(view, row, command.version)
    check_text("why", command.why, MAX_NOTE)
    kind = ReviewApproved if command.status == "approved" else ReviewRejected
    fact = kind(
        review=row.id,
        artifact=row.artifact,
        version=command.version,
        rounds=row.round,
        why=command.why.strip(),
        run=row.run,
    )
    return Decision(ok=Done(), facts=[fact])


def _open(view: View, id: str) -> Review:
    row = view.get(Review, id)
    if row is None:
        raise NotFound(f"there is no review {id[:100]}", hint="List them with `flowide reviews`.")
    if row.status != "open":
        raise Gone(f"the review of {row.path} is {row.status}", hint="Start a new one.", status=row.status)
    return row


def _names(row: Review) -> list[str]:
    return [str(stage["stage"]) for stage in row.stages]


def _check_place(view: View, row: Review, stage: str, round: int, version: int) -> None:
    if stage not in _names(row):
        raise BadInput(f"the review has no stage {stage[:100]}", hint=f"Stages: {', '.join(_names(row))}.")
    if not max(1, row.round) <= round <= row.rounds:
        raise BadInput(
            f"round {round} is not possible", hint=f"The review is in round {row.round} of {row.rounds}."
        )
    _version(view, row, version)


def _version(view: View, row: Review, version: int) -> None:
    if view.get(Version, row.artifact, version) is None:
        raise NotFound(f"{row.path} has no version {version}", hint="See `flowide artifact history`.")


def _stored(reason: Reason) -> dict[str, Any]:
    stored: dict[str, Any] = msgspec.to_builtins(reason)
    return stored | {"text": reason.text.strip()}
