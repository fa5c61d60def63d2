"""Who is asked answers; agents do not go on for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

from flowide.domain.commands import AcquireLock, DeleteArtifact, SaveArtifact
from flowide.space.queries import Decisions, Gates, StepText, Turns
from tests.flows.talk import talk_of


async def test_only_who_is_mentioned_answers(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="Edwin here.", quinn="Quinn here.")
    await talk.say("@edwin what do you think, and not ana@quinn or `@quinn` or @nobody?")

    result = await talk.answer()

    assert result.status == "completed"
    assert (await talk.said())[1:] == [("edwin", "Edwin here.")]


async def test_an_answer_says_what_it_answers_and_who_wrote_it(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="Edwin here.")
    asked = await talk.say("@edwin?")

    result = await talk.answer()

    answer = (await talk.messages())[1]
    assert (answer.kind, answer.for_, answer.reply_to, answer.model) == (
        "agent",
        "ana",
        asked.id,
        "scripted/edwin",
    )
    assert (answer.run, answer.depth, answer.output_tokens > 0) == (result.run, 1, True)


async def test_everybody_answers_all(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="Edwin here.", quinn="Quinn here.")
    await talk.say("@all good morning")

    await talk.answer()

    assert sorted(await talk.said())[1:] == [("edwin", "Edwin here."), ("quinn", "Quinn here.")]


async def test_agents_that_mention_each_other_for_ever_stop_at_the_depth(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="@quinn and you?", quinn="@edwin and you?")
    await talk.open(depth=4)
    await talk.say("@edwin begin")

    await talk.answer()

    assert [actor for actor, _ in await talk.said()] == ["ana", "edwin", "quinn", "edwin", "quinn", "edwin"]
    assert (await talk.messages())[-1].unasked == [{"agent": "quinn", "why": "depth"}]
    assert any("@quinn" in warning for warning in talk.bench.watcher.warnings)


async def test_agents_that_mention_everybody_stop_at_the_rate(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="@all?", quinn="@all?", mara="@all?")
    await talk.open(depth=20, rate=7)
    await talk.say("@all begin")

    await talk.answer()

    assert len(await talk.messages()) - 1 == 7


async def test_a_thread_about_a_deleted_artifact_goes_on(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="It is gone.")
    row = await talk.bench.folder.artifact(talk.space, "notes.md")
    await talk.open(about=row.id)
    fence = (await talk.space.execute(AcquireLock(artifact=row.id))).ok.fence or 0
    await talk.space.execute(DeleteArtifact(artifact=row.id, fence=fence, base=1))
    await talk.say("@edwin?")

    await talk.answer()

    assert (await talk.said())[-1] == ("edwin", "It is gone.")
    [about] = [each for each in (await talk.manifest(2)).items if each.kind == "artifact"]
    assert "deleted since" in about.reason


async def test_an_agent_proposes_a_decision_once(tmp_path: Path) -> None:
    proposal = (
        "I think so.\n\n**Decision:** we keep\neight entries.\n\n`Decision: not this`\n> Decision: nor this\n"
    )
    talk = talk_of(tmp_path, edwin=proposal)
    await talk.say("@edwin?")
    await talk.answer()
    await talk.say("@edwin again?")

    await talk.answer()

    [decision] = await talk.space.read(Decisions())
    assert (decision.text, decision.actor, decision.status) == ("we keep eight entries.", "edwin", "open")
    assert decision.message == (await talk.messages())[1].id


async def test_a_person_stops_what_agents_have_begun_between_themselves(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="@quinn and you?", quinn=[{"on": "*", "text": "slow " * 400}])
    talk.bench.around = type(talk.bench.around)(env={"FLOWIDE_SCRIPTED_PACE": "400"})
    await talk.say("@edwin begin")
    answering = asyncio.create_task(talk.answer())
    async with asyncio.timeout(20):
        while await talk.turns("taken") != ["quinn"]:
            await asyncio.sleep(0.02)

    await talk.say("Wait, both of you.", actor="rod")

    async with asyncio.timeout(4):  # quinn would need five seconds
        result = await answering
    assert result.status == "completed"
    assert [actor for actor, _ in await talk.said()] == ["ana", "edwin", "rod"]
    assert await talk.turns("stopped") == ["quinn"]


async def test_who_is_asked_while_others_answer_answers_at_once(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin=[{"on": "*", "text": "slow " * 200}], quinn="Quick.")
    talk.bench.around = type(talk.bench.around)(env={"FLOWIDE_SCRIPTED_PACE": "500"})
    await talk.say("@edwin begin")
    answering = asyncio.create_task(talk.answer())
    async with asyncio.timeout(20):
        while not await talk.turns("taken"):
            await asyncio.sleep(0.02)
    await talk.say("@quinn you too")

    await answering

    assert [actor for actor, _ in await talk.said()] == ["ana", "ana", "quinn", "edwin"]


async def test_an_answer_can_be_watched_while_it_is_written(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin=[{"on": "*", "text": "slow " * 400}])
    talk.bench.around = type(talk.bench.around)(env={"FLOWIDE_SCRIPTED_PACE": "1000"})
    await talk.say("@edwin begin")
    answering = asyncio.create_task(talk.answer())

    seen = ""
    async with asyncio.timeout(20):
        while not seen:
            await asyncio.sleep(0.05)
            for turn in await talk.space.read(Turns(talk.thread, "taken")):
                seen = await talk.space.read(StepText(turn.run or "", turn.step or ""))

    assert seen.startswith("slow slow")
    await answering
    assert len(talk.bench.watcher.deltas) > 1


async def test_every_agent_speaks_in_turn_and_a_person_agrees_to_what_it_comes_to(tmp_path: Path) -> None:
    talk = talk_of(
        tmp_path,
        edwin="Eight.",
        quinn=[{"on": "discuss", "texts": ["Why?", "Fine."]}, {"on": "decide", "text": "Eight it is."}],
    )
    request = {
        "brief": "How many?",
        "inputs": {"path": "notes.md", "rounds": 2},
        "agents": ["quinn", "edwin"],
    }
    result = await talk.bench.start("discussion", **request)
    assert result.exit_code == 3

    [gate] = await talk.space.read(Gates())
    assert gate.question == "Agree to D1? Eight it is."
    result = await talk.bench.answer(result, "approve")

    assert result.status == "completed"
    talk.thread = result.outputs["thread"]
    assert [actor for actor, _ in await talk.said()] == ["ana", "quinn", "edwin", "quinn", "edwin"]
    [decision] = await talk.space.read(Decisions())
    assert (decision.status, decision.actor, decision.agreed_by) == ("agreed", "quinn", "ana")
    assert "D1 (agreed): Eight it is." in result.outputs["text"]


async def test_a_decision_that_is_rejected_is_superseded(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="Eight.\n\nDecision: eight.")

    result = await talk.bench.start(
        "discussion", brief="How many?", inputs={"path": "", "rounds": 1}, on_gate="reject"
    )

    assert result.status == "completed"
    assert [each.status for each in await talk.space.read(Decisions())] == ["superseded"]


async def test_files_that_changed_under_a_lock_do_not_keep_people_from_speaking(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="Fine.")
    row = await talk.bench.folder.artifact(talk.space, "notes.md")
    fence = (await talk.space.execute(AcquireLock(artifact=row.id))).ok.fence or 0
    (tmp_path / "project" / "notes.md").write_text("changed outside\n")

    said = await talk.say("see #notes.md")

    assert [each["version"] for each in said.refs] == [1]
    await talk.space.execute(SaveArtifact(artifact=row.id, fence=fence, base=1, text="two\n"))


async def test_long_handles_have_room(tmp_path: Path) -> None:
    long = "a" * 64
    talk = talk_of(tmp_path, **{long: "Decision: eight."})

    request = {"brief": f"How many, @{long}?", "inputs": {"path": "", "rounds": 1}, "on_gate": "approve"}
    result = await talk.bench.start("discussion", **request)

    assert result.status == "completed", result.error
    assert [each.status for each in await talk.space.read(Decisions())] == ["agreed"]
    await talk.say(f"@{long} rewrite #notes.md")
    assert (await talk.answer(lock_timeout_s=0)).status in {"completed", "failed"}
