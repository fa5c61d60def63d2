"""Anyone proposes, people agree."""

from __future__ import annotations

from typing import Any

import pytest

from flowide.domain import commands as c
from flowide.domain import rows as r
from flowide.errors import BadInput, Exists, Gone, NotAllowed, NotFound
from tests.domain.board import ANA, EDWIN, ROD, Board


def one(board: Board, id: str = "d") -> r.Decision:
    found = board.get(r.Decision, id)
    assert found is not None
    return found


@pytest.fixture
def decision(board: Board) -> str:
    board.do(c.OpenThread(thread="t", title="x"))
    board.do(
        c.PostMessage(thread="t", message="m", text="Eight.", refs=[{"kind": "artifact", "path": "a"}]), EDWIN
    )
    board.do(c.ProposeDecision(decision="d", text=" Look at eight. ", message="m"), EDWIN)
    return "d"


def test_an_agent_proposes_from_a_message(board: Board, decision: str) -> None:
    row = one(board)

    assert (row.number, row.text, row.status, row.actor, row.kind) == (
        1,
        "Look at eight.",
        "open",
        "edwin",
        "agent",
    )
    assert (row.thread, row.message, row.refs) == ("t", "m", [{"kind": "artifact", "path": "a"}])


def test_a_person_agrees(board: Board, decision: str) -> None:
    board.do(c.AgreeDecision(decision="d", reason="Yes."), ROD)

    assert (one(board).status, one(board).agreed_by, one(board).reason) == ("agreed", "rod", "Yes.")


@pytest.mark.parametrize("kind", [c.AgreeDecision, c.ReopenDecision, c.SupersedeDecision])
def test_agents_only_propose(board: Board, decision: str, kind: Any) -> None:
    with pytest.raises(NotAllowed):
        board.do(kind(decision="d"), EDWIN)


def test_an_agreed_decision_is_reopened_and_agreed_again(board: Board, decision: str) -> None:
    board.do(c.AgreeDecision(decision="d"))
    board.do(c.ReopenDecision(decision="d", reason="A new trace."))
    assert (one(board).status, one(board).agreed_by) == ("open", None)

    board.do(c.AgreeDecision(decision="d"))

    assert one(board).status == "agreed"


def test_a_decision_gives_way_to_another(board: Board, decision: str) -> None:
    board.do(c.ProposeDecision(decision="e", text="Sixteen."))

    board.do(c.SupersedeDecision(decision="d", by="e"))

    assert (one(board).status, one(board).superseded_by, one(board, "e").number) == ("superseded", "e", 2)
    with pytest.raises(BadInput):
        board.do(c.SupersedeDecision(decision="e", by="d"))


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (c.ProposeDecision(text=" "), BadInput),
        (c.ProposeDecision(text="x" * 5000), BadInput),
        (c.ProposeDecision(decision="d", text="x"), Exists),
        (c.ProposeDecision(text="x", message="nothing"), NotFound),
        (c.AgreeDecision(decision="nothing"), NotFound),
        (c.ReopenDecision(decision="d"), Gone),
        (c.SupersedeDecision(decision="d", by="d"), BadInput),
        (c.SupersedeDecision(decision="d", by="nothing"), NotFound),
    ],
)
def test_what_cannot_be_is_refused(board: Board, decision: str, command: Any, error: Any) -> None:
    before = len(board.log)

    with pytest.raises(error):
        board.do(command, ANA)

    assert len(board.log) == before


def test_what_is_agreed_at_a_gate_is_of_who_answered_there(board: Board, decision: str) -> None:
    board.do(c.OpenGate(gate="g", kind="decide", question="Agree?"))
    board.do(c.AnswerGate(gate="g", answer="approve"), ROD)

    board.do(c.AgreeDecision(decision="d", gate="g"), ANA)

    assert one(board).agreed_by == "rod"
