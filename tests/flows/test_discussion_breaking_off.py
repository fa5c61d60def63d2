"""Answers that failed, broke off or were somebody else's."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from flowide.domain.actors import Actor
from flowide.errors import StorageFailed
from flowide.flows.steps.discuss import transcript
from flowide.space.queries import Decisions, Runs, ThreadMessages, Turns, Verify
from flowide.testing import ManualClock
from tests.flows.conftest import Bench
from tests.flows.talk import Breaking, Talk, make_talkers, talk_of


async def test_an_agent_that_fails_costs_the_others_nothing_and_can_be_asked_again(tmp_path: Path) -> None:
    failing = [{"on": "discuss", "fail": "unavailable", "times": 1, "text": "Back again."}]
    talk = talk_of(tmp_path, edwin="Edwin here.", quinn=failing)
    await talk.say("@edwin @quinn?")

    result = await talk.answer()

    assert (result.exit_code, result.status) == (8, "failed")
    assert (await talk.said())[1:] == [("edwin", "Edwin here.")]
    assert await talk.turns("failed") == ["quinn"]


async def test_a_resumed_run_asks_again_who_failed(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin=[{"on": "discuss", "fail": "unavailable"}])
    await talk.say("@edwin?")
    result = await talk.answer()
    make_talkers(tmp_path / "project", edwin="Back again.")

    result = await talk.bench.resume(result.run)

    assert result.status == "completed"
    assert (await talk.said())[1:] == [("edwin", "Back again.")]


async def test_an_interrupted_answer_is_no_message(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin=[{"on": "discuss", "fail": "incomplete", "text": "Half of what I"}])
    await talk.say("@edwin?")

    result = await talk.answer()

    assert result.exit_code == 8
    assert len(await talk.messages()) == 1


async def test_an_agent_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="x", quinn="x")
    await talk.say("@edwin?")
    (tmp_path / "project" / ".flowide" / "agents" / "edwin.md").unlink()

    result = await talk.answer()

    assert result.exit_code == 2
    [turn] = await talk.space.read(Turns(talk.thread, "failed"))
    assert turn.why == "there is no agent @edwin any more"


@pytest.mark.parametrize("after", range(0, 26, 2))
async def test_talk_that_broke_off_anywhere_ends_as_if_it_had_not(tmp_path: Path, after: int) -> None:
    bench = Bench(
        make_talkers(tmp_path / "project", edwin="@quinn what do you say?\n\nDecision: eight.", quinn="Yes.")
    )
    clock = ManualClock()
    bench.space = Breaking(Actor("ana"), clock=clock)
    Breaking.left = 10**9
    talk = Talk(bench)
    await talk.say("@edwin what about #notes.md?")
    Breaking.left = after
    with contextlib.suppress(StorageFailed):
        await talk.answer()
    Breaking.left = 10**9
    clock.sleep(60_000)

    runs = await talk.space.read(Runs())
    result = await (bench.resume(runs[0].id) if runs and runs[0].status != "completed" else talk.answer())

    assert result.status == "completed"
    assert [actor for actor, _ in await talk.said()] == ["ana", "edwin", "quinn"]
    assert [each.text for each in await talk.space.read(Decisions())] == ["eight."]
    assert await talk.space.read(Verify()) == []
    calls = [
        event.data async for event in talk.space.events() if event.type == "run.step" and event.data["usage"]
    ]
    assert len(calls) == 2


async def test_two_runs_do_not_write_the_same_answer(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin=[{"on": "*", "text": "slow " * 100}])
    talk.bench.around = type(talk.bench.around)(env={"FLOWIDE_SCRIPTED_PACE": "1000"})
    await talk.say("@edwin?")

    one, two = await asyncio.gather(talk.answer(), talk.answer())

    assert (one.status, two.status) == ("completed", "completed")
    assert [actor for actor, _ in await talk.said()] == ["ana", "edwin"]


@pytest.mark.parametrize("after", range(0, 40, 4))
async def test_a_discussion_that_broke_off_anywhere_ends_as_if_it_had_not(tmp_path: Path, after: int) -> None:
    bench = Bench(
        make_talkers(
            tmp_path / "project",
            edwin="Eight.",
            quinn=[{"on": "discuss", "text": "Why?"}, {"on": "decide", "text": "Eight."}],
        )
    )
    clock = ManualClock()
    bench.space = Breaking(Actor("ana"), clock=clock)
    Breaking.left = after
    request = {
        "brief": "How many?",
        "inputs": {"path": "notes.md", "rounds": 2},
        "agents": ["quinn", "edwin"],
        "on_gate": "approve",
    }
    with contextlib.suppress(StorageFailed):
        result = await bench.start("discussion", **request)
    Breaking.left = 10**9
    clock.sleep(60_000)

    runs = await bench.space.read(Runs())
    if not runs:
        result = await bench.start("discussion", **request)
    elif runs[0].status != "completed":
        result = await bench.resume(runs[0].id)

    view = await bench.space.read(ThreadMessages(result.outputs["thread"]))
    assert [each.actor for each in view.messages] == ["ana", "quinn", "edwin", "quinn", "edwin"]
    assert [(each.text, each.status) for each in await bench.space.read(Decisions())] == [
        ("Eight.", "agreed")
    ]
    assert result.outputs["text"] == f"{transcript(view.messages)}\nD1 (agreed): Eight.\n"


async def test_an_answer_that_another_run_had_and_could_not_post_is_not_asked_for_again(
    tmp_path: Path,
) -> None:
    """The process is gone between the call and its message; somebody else has the thread answered."""
    hit = 0
    for after in range(4, 16):
        bench = Bench(make_talkers(tmp_path / f"project-{after}", edwin="First words."))
        clock = ManualClock()
        bench.space = Breaking(Actor("ana"), clock=clock)
        Breaking.left = 10**9
        talk = Talk(bench)
        await talk.say("@edwin?")
        Breaking.left = after
        with contextlib.suppress(StorageFailed):
            await talk.answer()
        Breaking.left = 10**9
        calls = [
            e.data for e in [e async for e in talk.space.events()] if e.type == "run.step" and e.data["usage"]
        ]
        if not calls or len(await talk.messages()) > 1:
            continue
        hit += 1
        clock.sleep(60_000)
        make_talkers(tmp_path / f"project-{after}", edwin="Other words.")

        result = await talk.answer()

        assert result.status == "completed"
        assert (await talk.said())[1:] == [("edwin", "First words.")]
        answer = (await talk.messages())[1]
        assert (answer.model, answer.manifest is not None) == ("scripted/edwin", True)
    assert hit
