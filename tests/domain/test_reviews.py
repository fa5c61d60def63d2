"""A rejection has reasons and a way back; rounds are bounded; people end a review."""

from __future__ import annotations

from typing import Any

import pytest

from flowide.domain import commands as c
from flowide.domain import rows as r
from flowide.errors import BadInput, Exists, FlowError, Gone, NotAllowed, NotFound
from tests.domain.board import ANA, EDWIN, ROD, Board

STAGES = [
    {"stage": "draft", "by": "edwin", "does": "write"},
    {"stage": "edit", "by": "person", "does": "judge"},
]


@pytest.fixture
def review(board: Board, doc: str) -> str:
    board.do(c.OpenReview(review="v", artifact=doc, stages=STAGES, rounds=3, brief="Short."))
    return "v"


def one(board: Board) -> r.Review:
    found = board.get(r.Review, "v")
    assert found is not None
    return found


def judge(verdict: Any, *, round: int = 1, **more: Any) -> c.JudgeReview:
    reasons = more.pop(
        "reasons", [c.Reason(text=" Too long. ", kind="clarity")] if verdict == "reject" else []
    )
    return c.JudgeReview(
        review="v", stage="edit", round=round, version=1, verdict=verdict, reasons=reasons, **more
    )


def test_a_review_knows_what_it_reviews(board: Board, doc: str, review: str) -> None:
    row = one(board)

    assert (row.artifact, row.path, row.kind, row.status, row.round) == (doc, "doc.md", "document", "open", 1)


def test_a_rejection_goes_back_to_the_first_stage_or_to_a_named_one(board: Board, review: str) -> None:
    board.do(judge("reject"), EDWIN)
    board.do(judge("reject", round=2, back_to="edit"), ROD)

    verdicts = board.find(r.Verdict, order="number")
    assert [(v.back_to, v.actor, v.kind, v.artifact_kind) for v in verdicts] == [
        ("draft", "edwin", "agent", "document"),
        ("edit", "rod", "human", "document"),
    ]
    assert verdicts[0].reasons == [{"text": "Too long.", "kind": "clarity"}]


def test_an_approval_goes_nowhere(board: Board, review: str) -> None:
    board.do(judge("approve", back_to="draft"))

    assert [v.back_to for v in board.find(r.Verdict)] == [None]


def test_handovers_are_numbered_and_name_the_author(board: Board, review: str) -> None:
    refused = [{"hunk": 2, "diff": "-a\n+b\n", "why": "no"}]
    board.do(
        c.HandOver(review="v", stage="draft", round=1, version=1, base=1, author="edwin", refused=refused)
    )

    [row] = board.find(r.Handover)
    assert (row.number, row.author, row.refused, one(board).version) == (1, "edwin", refused, 1)


def test_people_end_a_review_once(board: Board, review: str) -> None:
    with pytest.raises(NotAllowed):
        board.do(c.FinishReview(review="v", status="approved", version=1), EDWIN)
    board.do(c.FinishReview(review="v", status="approved", version=1), ANA)

    assert one(board).status == "approved"
    assert board.types()[-1] == "review.approved"
    for command in (c.FinishReview(review="v", status="rejected", version=1), judge("approve")):
        with pytest.raises(Gone):
            board.do(command)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (c.OpenReview(review="v", artifact="doc", stages=STAGES), Exists),
        (c.OpenReview(artifact="nothing", stages=STAGES), NotFound),
        (judge("reject", reasons=[]), BadInput),
        (judge("reject", reasons=[c.Reason(text=" ")]), BadInput),
        (judge("reject", back_to="nowhere"), BadInput),
        (judge("approve", round=4), BadInput),
        (judge("approve", round=0), BadInput),
        (c.JudgeReview(review="v", stage="other", round=1, version=1, verdict="approve"), BadInput),
        (c.JudgeReview(review="v", stage="edit", round=1, version=9, verdict="approve"), NotFound),
        (c.JudgeReview(review="w", stage="edit", round=1, version=1, verdict="approve"), NotFound),
        (c.HandOver(review="v", stage="draft", round=1, version=1, base=7), NotFound),
    ],
)
def test_what_cannot_be_is_refused(board: Board, review: str, command: Any, error: type[FlowError]) -> None:
    before = len(board.log)

    with pytest.raises(error):
        board.do(command)

    assert len(board.log) == before


@pytest.mark.parametrize(
    "more",
    [
        {"stages": []},
        {"stages": [{"stage": ""}]},
        {"stages": [{"stage": "a"}, {"stage": "a"}]},
        {"stages": [{"stage": str(n)} for n in range(21)]},
        {"stages": STAGES, "rounds": 0},
        {"stages": STAGES, "rounds": 21},
    ],
)
def test_a_review_that_cannot_work_is_not_opened(board: Board, doc: str, more: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        board.do(c.OpenReview(artifact=doc, **more))


def test_what_is_said_at_a_gate_is_of_who_answered_there(board: Board, review: str) -> None:
    board.do(c.OpenGate(gate="g", kind="verdict", question="Good?"))
    with pytest.raises(BadInput):
        board.do(judge("approve", gate="g"))
    board.do(c.AnswerGate(gate="g", answer="approve"), ROD)

    board.do(judge("approve", gate="g"), ANA)

    assert [(each.actor, each.kind) for each in board.find(r.Verdict)] == [("rod", "human")]
