"""Every event is told in words, and words hold what matters."""

from __future__ import annotations

import pytest

from flowide.domain import commands as c
from flowide.domain.facts import FACTS
from flowide.project import story
from flowide.project.story_of_talk import WORDS
from tests.domain.board import ANA, EDWIN, Board


def test_every_event_of_talk_and_reviews_has_words() -> None:
    wanted = {
        name for name in FACTS if name.split(".")[0] in {"thread", "message", "turn", "decision", "review"}
    }

    assert set(WORDS) == wanted


def told(board: Board) -> list[str]:
    return [story.tell(event, {"a": "notes.md"}) for event in board.log]


@pytest.fixture
def board() -> Board:
    made = Board()
    made.do(c.CreateArtifact(id="a", path="notes.md", kind="document", text="x"))
    made.log.clear()
    return made


def test_talk_is_told(board: Board) -> None:
    board.do(c.OpenThread(thread="t", title="Eviction", about="a"))
    board.do(c.PinArtifact(thread="t", about="a", version=1))
    board.do(c.SetThreadAgent(thread="t", agent="edwin"))
    board.do(c.PostMessage(thread="t", message="m", text="@edwin?", mentions=["edwin"]))
    board.do(c.StopTurn(message="m", agent="edwin", why="enough"))
    board.do(c.AskAgent(message="m", agent="edwin"))
    board.do(c.ProposeDecision(decision="d", text="Eight.", message="m"), EDWIN)
    board.do(c.AgreeDecision(decision="d", reason="yes"), ANA)
    board.do(c.SupersedeDecision(decision="d"), ANA)

    assert told(board) == [
        "opened thread t: Eviction",
        "pinned notes.md version 1 in thread t",
        "@edwin answers by default in thread t",
        "said #1 in thread t (asks @edwin): @edwin?",
        "the answer of @edwin is no longer wanted in thread t: enough",
        "asks @edwin again to answer in thread t",
        "put up D1: Eight.",
        "agreed to decision d: yes",
        "superseded decision d",
    ]


def test_reviews_are_told(board: Board) -> None:
    stages = [{"stage": "draft"}, {"stage": "edit"}]
    board.do(c.OpenReview(review="v", artifact="a", stages=stages))
    refused = [{"hunk": 1, "diff": "", "why": ""}]
    board.do(
        c.HandOver(review="v", stage="draft", round=1, version=1, base=1, author="edwin", refused=refused)
    )
    reject = c.JudgeReview(
        review="v", stage="edit", round=1, version=1, verdict="reject", reasons=[c.Reason(text="Vague.")]
    )
    board.do(reject, EDWIN)
    board.do(c.FinishReview(review="v", status="rejected", version=1, why="Vague."))

    assert told(board) == [
        "opened the review of notes.md",
        "draft, round 1: hands over version 1 of notes.md by edwin; 1 changes refused",
        "edit, round 1: rejects version 1 of notes.md, back to draft: Vague.",
        "the review rejects version 1 of notes.md in round 1: Vague.",
    ]
