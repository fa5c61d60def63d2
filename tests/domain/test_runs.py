"""A run is driven by one process at a time, and a question is answered once."""

from __future__ import annotations

from typing import Any

import pytest

from flowide.domain import commands as c
from flowide.domain import rows as r
from flowide.errors import BadInput, Busy, DraftGap, Exists, Fenced, Gone, NotAllowed, NotFound
from tests.domain.board import ANA, EDWIN, ROD, Board


@pytest.fixture
def fence(board: Board) -> int:
    got: int = board.do(
        c.StartRun(run="r", flow="variations", flow_sha256="", flow_text="", ttl_ms=1000)
    ).fence
    return got


def record(board: Board, fence: int, status: str = "completed", key: str = "vary#1") -> None:
    board.do(c.RecordStep(run="r", fence=fence, key=key, kind="vary", status=status))  # type: ignore[arg-type]


def test_a_live_run_is_not_taken_over(board: Board, fence: int) -> None:
    board.sleep(999)

    with pytest.raises(Busy):
        board.do(c.ClaimRun(run="r"), ROD)


def test_a_renewal_gives_the_full_lease_again(board: Board, fence: int) -> None:
    for _ in range(5):
        board.sleep(900)
        board.do(c.RenewRun(run="r", fence=fence))

    with pytest.raises(Busy):
        board.do(c.ClaimRun(run="r"), ROD)


def test_a_run_whose_driver_is_gone_goes_on_under_a_new_fence(board: Board, fence: int) -> None:
    record(board, fence)
    board.sleep(1000)

    claimed = board.do(c.ClaimRun(run="r"), ROD).fence

    assert claimed == fence + 1
    assert board.get(r.Step, "r", "vary#1").status == "completed"  # type: ignore[union-attr]
    with pytest.raises(Fenced):
        record(board, fence, key="vary#2")


def test_nobody_but_its_driver_writes_a_run(board: Board, fence: int) -> None:
    commands: list[c.Command[Any]] = [
        c.RecordStep(run="r", fence=fence, key="vary#1", kind="vary", status="completed"),
        c.RenewRun(run="r", fence=fence),
        c.StreamStep(run="r", fence=fence, key="vary#1", off=0, text="x"),
        c.OpenGate(run="r", fence=fence, gate="g", kind="approve", question="?"),
        c.FinishRun(run="r", fence=fence, status="completed", exit_code=0),
    ]

    for command in commands:
        with pytest.raises(Fenced):
            board.do(command, ROD)
        board.do(command, EDWIN, client="ana-pc")  # an agent that the driver runs


def test_a_finished_run_takes_nothing_more(board: Board, fence: int) -> None:
    board.do(c.FinishRun(run="r", fence=fence, status="completed", exit_code=0))

    with pytest.raises(Gone):
        record(board, fence)
    with pytest.raises(Gone):
        board.do(c.ClaimRun(run="r"))


def test_a_queued_run_is_begun_by_the_first_that_claims_it(board: Board) -> None:
    board.do(c.QueueRun(run="q", flow="variations", flow_sha256="", flow_text=""))
    queued = board.get(r.Run, "q")
    assert queued is not None and (queued.status, queued.fence, queued.actor) == ("queued", 0, ANA.id)

    fence = board.do(c.ClaimRun(run="q", ttl_ms=1000), ROD).fence

    assert fence == 1
    with pytest.raises(Busy):
        board.do(c.ClaimRun(run="q"))
    with pytest.raises(Exists):
        board.do(c.QueueRun(run="q", flow="variations", flow_sha256="", flow_text=""))


def test_a_run_that_is_given_back_can_be_claimed_at_once(board: Board, fence: int) -> None:
    board.do(c.FinishRun(run="r", fence=fence, status="queued", exit_code=143))
    given_back = board.get(r.Run, "r")
    assert given_back is not None and (given_back.status, given_back.queued) == ("queued", True)

    assert board.do(c.ClaimRun(run="r"), ROD).fence == fence + 1


@pytest.mark.parametrize("status", ["waiting", "failed", "cancelled"])
def test_a_stopped_run_can_be_resumed(board: Board, fence: int, status: str) -> None:
    board.do(c.FinishRun(run="r", fence=fence, status=status, exit_code=3))  # type: ignore[arg-type]

    assert board.do(c.ClaimRun(run="r")).fence == fence + 1
    run = board.get(r.Run, "r")
    assert run is not None and (run.status, run.exit_code, run.finished) == ("running", None, None)


def test_a_step_keeps_when_it_began(board: Board, fence: int) -> None:
    record(board, fence, "started")
    began = board.get(r.Step, "r", "vary#1").started  # type: ignore[union-attr]

    record(board, fence, "completed")

    step = board.get(r.Step, "r", "vary#1")
    assert step is not None and step.started == began and step.finished is not None


def test_a_streamed_answer_is_shown_until_its_step_ends(board: Board, fence: int) -> None:
    have = board.do(c.StreamStep(run="r", fence=fence, key="vary#1", off=0, text="hél")).have
    board.do(c.StreamStep(run="r", fence=fence, key="vary#1", off=have, text="lo"))
    assert "".join(chunk.text for chunk in board.find(r.Chunk, order="off")) == "héllo"

    record(board, fence)

    assert board.find(r.Chunk) == []


def test_a_streamed_answer_may_start_over_but_not_skip(board: Board, fence: int) -> None:
    board.do(c.StreamStep(run="r", fence=fence, key="k", off=0, text="first try"))
    board.do(c.StreamStep(run="r", fence=fence, key="k", off=0, text="second"))

    assert [chunk.text for chunk in board.find(r.Chunk)] == ["second"]
    with pytest.raises(DraftGap):
        board.do(c.StreamStep(run="r", fence=fence, key="k", off=99, text="x"))


def test_the_first_answer_counts(board: Board, fence: int) -> None:
    board.do(
        c.OpenGate(
            gate="g", run="r", fence=fence, kind="approve", question="Well?", options=["approve", "reject"]
        )
    )

    board.do(c.AnswerGate(gate="g", answer=" approve "), ROD)

    gate = board.get(r.Gate, "g")
    assert gate is not None and (gate.answer, gate.by) == ("approve", "rod")
    with pytest.raises(Gone):
        board.do(c.AnswerGate(gate="g", answer="reject"), ANA)


def test_an_answer_must_be_one_that_was_offered(board: Board) -> None:
    board.do(c.OpenGate(gate="g", kind="approve", question="Well?", options=["approve", "reject"]))

    with pytest.raises(BadInput):
        board.do(c.AnswerGate(gate="g", answer="maybe"))


def test_agents_do_not_answer_gates(board: Board) -> None:
    board.do(c.OpenGate(gate="g", kind="approve", question="Well?"))

    with pytest.raises(NotAllowed):
        board.do(c.AnswerGate(gate="g", answer="yes"), EDWIN)


def test_unknown_runs_and_gates_are_not_found(board: Board) -> None:
    with pytest.raises(NotFound):
        board.do(c.ClaimRun(run="x"))
    with pytest.raises(NotFound):
        board.do(c.AnswerGate(gate="x", answer="y"))
