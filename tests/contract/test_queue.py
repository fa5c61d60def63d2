"""What workers can take: the same in every space."""

from __future__ import annotations

import pytest

from flowide.domain import commands as c
from flowide.errors import Gone
from flowide.space import queries as q
from flowide.space.local import LocalSpace
from flowide.testing import ManualClock


async def queue(space: LocalSpace, *runs: str) -> None:
    for run in runs:
        await space.execute(c.QueueRun(run=run, flow="f", flow_sha256="", flow_text=""))


async def takeable(space: LocalSpace) -> list[str]:
    return [run.id for run in await space.read(q.Queue())]


async def test_the_oldest_comes_first_and_what_is_driven_is_not_there(
    space: LocalSpace, clock: ManualClock
) -> None:
    await queue(space, "b", "a")
    await space.execute(c.StartRun(run="by-hand", flow="f", flow_sha256="", flow_text="", ttl_ms=1000))
    assert await takeable(space) == ["b", "a"]

    await space.execute(c.ClaimRun(run="b", ttl_ms=1000))
    assert await takeable(space) == ["a"]

    clock.sleep(1000)
    assert await takeable(space) == ["b", "a"]  # a run that a person drove is theirs to go on with


async def test_a_question_holds_a_run_up_until_it_is_answered(space: LocalSpace) -> None:
    await queue(space, "r")
    fence = (await space.execute(c.ClaimRun(run="r"))).ok.fence
    await space.execute(c.OpenGate(gate="g", run="r", fence=fence, kind="approve", question="?"))
    await space.execute(c.FinishRun(run="r", fence=fence, status="waiting", exit_code=3))
    assert await takeable(space) == []

    await space.execute(c.AnswerGate(gate="g", answer="yes"))

    assert await takeable(space) == ["r"]


async def test_what_has_ended_is_not_taken_again(space: LocalSpace) -> None:
    await queue(space, "r")
    fence = (await space.execute(c.ClaimRun(run="r"))).ok.fence

    await space.execute(c.FinishRun(run="r", fence=fence, status="failed", exit_code=1))

    assert await takeable(space) == []
    view = await space.read(q.OneRun("r"))
    assert (view.run.status, view.alive) == ("failed", False)


async def test_a_run_that_nobody_drives_is_cancelled_at_once(space: LocalSpace) -> None:
    await queue(space, "r")

    first = await space.execute(c.CancelRun(run="r", reason="not needed"))
    again = await space.execute(c.CancelRun(run="r"))

    view = await space.read(q.OneRun("r"))
    assert (first.ok.ended, again.ok.ended, again.seq) == (True, True, first.seq)
    assert (view.run.status, view.run.exit_code) == ("cancelled", 130)
    assert "stopped the run: not needed" in (view.run.error or {})["message"]
    assert await takeable(space) == []


async def test_a_run_is_cancelled_by_its_driver_as_long_as_that_lives(
    space: LocalSpace, clock: ManualClock
) -> None:
    await space.execute(c.StartRun(run="r", flow="f", flow_sha256="", flow_text="", ttl_ms=1000))

    asked = await space.execute(c.CancelRun(run="r", reason="why"))
    assert not asked.ok.ended
    events = [event async for event in space.events(asked.seq - 1)]
    assert [(event.type, event.data) for event in events] == [
        ("run.cancel_asked", {"run": "r", "reason": "why"})
    ]

    clock.sleep(1000)
    assert (await space.execute(c.CancelRun(run="r"))).ok.ended
    assert (await space.read(q.OneRun("r"))).run.status == "cancelled"


async def test_what_has_ended_cannot_be_cancelled(space: LocalSpace) -> None:
    fence = (await space.execute(c.StartRun(run="r", flow="f", flow_sha256="", flow_text=""))).ok.fence
    await space.execute(c.FinishRun(run="r", fence=fence, status="completed", exit_code=0))

    with pytest.raises(Gone, match="the run r is completed"):
        await space.execute(c.CancelRun(run="r"))
