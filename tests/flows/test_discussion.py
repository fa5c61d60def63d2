"""Who is asked answers, knowing what concerns the question; agents do not go on for ever."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import (
    AcquireLock,
    AgreeDecision,
    DeleteArtifact,
    PinArtifact,
    PostMessage,
    ProposeDecision,
    SaveArtifact,
    SupersedeDecision,
)
from flowide.errors import StorageFailed
from flowide.flows.steps.discuss import transcript
from flowide.space.queries import Decisions, Gates, Runs, StepText, ThreadMessages, Threads, Turns, Verify
from flowide.testing import ManualClock
from tests.flows.conftest import Bench
from tests.flows.talk import NOTES, Breaking, Talk, make_talkers


def talk_of(tmp_path: Path, **scripts: object) -> Talk:
    return Talk(Bench(make_talkers(tmp_path / "project", **scripts)))


async def save(talk: Talk, path: str, text: str) -> str:
    """Make the next version of a file; the id of its artifact."""
    row = await talk.bench.folder.artifact(talk.space, path)
    fence = (await talk.space.execute(AcquireLock(artifact=row.id))).ok.fence or 0
    await talk.bench.folder.save(talk.space, row, fence=fence, base=row.version, data=text)
    return row.id


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


async def test_the_words_and_versions_that_are_meant_reach_the_agent(tmp_path: Path) -> None:
    """The agent answers only when its prompt holds them: its script looks for them."""
    talk = talk_of(
        tmp_path,
        quinn="The risks come too late.",
        edwin=[
            {
                "on": "discuss",
                "when": r"(?s)Stale values\..*The risks come too late\..*to be answered",
                "text": "Yes.",
            }
        ],
    )
    await talk.say("@quinn what about #notes.md?")
    await talk.answer()
    await save(talk, "notes.md", NOTES + "More.\n")
    await talk.say("@edwin what do you think of what @quinn just said about #notes.md@1:Risks")

    await talk.answer()

    assert (await talk.said())[-1] == ("edwin", "Yes.")
    listed = {(each.kind, each.name, each.version): each.reason for each in (await talk.manifest(4)).given}
    assert listed["reference", "notes.md@1:Risks", 1] == "#3 points at it"
    assert listed["reference", "#2 @quinn", None] == "#3 points at it"
    assert all("More" not in name for _, name, _ in listed)


async def test_agreed_and_open_decisions_and_pins_are_in_every_prompt(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="Fine.")
    await talk.open()
    row = await talk.bench.folder.artifact(talk.space, "notes.md")
    await talk.space.execute(PinArtifact(thread=talk.thread, about=row.id))
    for n, text in enumerate(["Eight.", "Nine.", "Ten."]):
        await talk.space.execute(ProposeDecision(decision=f"d{n}", text=text))
    await talk.space.execute(AgreeDecision(decision="d0"))
    await talk.space.execute(SupersedeDecision(decision="d2"))
    await talk.say("@edwin?")

    await talk.answer()

    given = [(each.kind, each.name, each.reason) for each in (await talk.manifest(2)).given]
    assert ("decision", "D1", "agreed decision") in given
    assert ("decision", "D2", "open decision") in given
    assert ("pinned", "notes.md@1", "pinned") in given
    assert not any(name == "D3" for _, name, _ in given)


async def test_what_has_no_room_is_left_out_and_decisions_are_not(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="Fine.")
    await save(talk, "notes.md", "word " * 4000)
    await talk.space.execute(ProposeDecision(text="Eight."))
    for n in range(30):
        await talk.say(f"message {n} " + "x" * 400)
    await talk.say("@edwin what about #notes.md?")

    await talk.bench.start("say", inputs={"thread": talk.thread, "context": 1500})

    manifest = await talk.manifest(32)
    assert manifest.tokens <= manifest.budget == 1500
    left = {each.name: each.why for each in manifest.left_out}
    assert "tokens" in left["notes.md@2"]
    assert "#30 @ana" in [each.name for each in manifest.given]
    assert "#1 @ana" in left or any(name.startswith("#1 to") for name in left)
    assert "D1" in [each.name for each in manifest.given]


async def test_a_budget_that_decisions_alone_pass_is_an_error_and_not_a_dropped_decision(
    tmp_path: Path,
) -> None:
    talk = talk_of(tmp_path, edwin="Fine.")
    await talk.space.execute(ProposeDecision(text="Eight. " * 300))
    await talk.say("@edwin?")

    result = await talk.bench.start("say", inputs={"thread": talk.thread, "context": 200})

    assert (result.exit_code, await talk.turns("failed")) == (2, ["edwin"])


async def test_the_same_question_makes_the_same_manifest(tmp_path: Path) -> None:
    manifests = []
    for name in ("one", "two"):
        talk = talk_of(tmp_path / name, edwin="Fine.")
        await talk.open()
        await talk.say("@edwin what about #notes.md and #src/shop.py:Shop.total?")
        await talk.answer()
        manifests.append([(e.kind, e.name, e.sha256, e.tokens) for e in (await talk.manifest(2)).items])

    assert manifests[0] == manifests[1]


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


@pytest.mark.slow
async def test_a_thread_of_ten_thousand_messages_is_listed_and_answered_like_a_short_one(
    tmp_path: Path,
) -> None:
    talk = talk_of(tmp_path, edwin="Still here.")
    await talk.open()
    for start in range(0, 10_000, 50):
        await talk.space.batch(
            [PostMessage(thread=talk.thread, text=f"message {start + n}") for n in range(50)]
        )
    await talk.say("@edwin?")

    began = time.monotonic()
    await talk.space.read(Threads())
    await talk.space.read(ThreadMessages(talk.thread))
    listed = time.monotonic() - began
    await talk.answer()

    assert listed < 1
    manifest = await talk.manifest(10_002)
    assert manifest.tokens <= manifest.budget
    assert any(each.name.startswith("#1 to #") for each in manifest.left_out)
    assert len(manifest.items) < 2000


async def test_files_that_changed_under_a_lock_do_not_keep_people_from_speaking(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, edwin="Fine.")
    row = await talk.bench.folder.artifact(talk.space, "notes.md")
    fence = (await talk.space.execute(AcquireLock(artifact=row.id))).ok.fence or 0
    (tmp_path / "project" / "notes.md").write_text("changed outside\n")

    said = await talk.say("see #notes.md")

    assert [each["version"] for each in said.refs] == [1]
    await talk.space.execute(SaveArtifact(artifact=row.id, fence=fence, base=1, text="two\n"))


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


async def test_rules_and_notes_are_told_too(tmp_path: Path) -> None:
    root = make_talkers(tmp_path / "project", edwin="Fine.")
    (root / "AGENTS.md").write_text("No abbreviations.")
    (root / ".flowide" / "agents" / "notes").mkdir()
    (root / ".flowide" / "agents" / "notes" / "edwin.md").write_text("Ana likes it short.")
    talk = Talk(Bench(root))
    await talk.say("@edwin?")

    await talk.answer()

    given = [(each.kind, each.name) for each in (await talk.manifest(2)).given]
    assert given == [
        ("instructions", "edwin.md"),
        ("rules", "AGENTS.md"),
        ("notes", "notes of @edwin"),
        ("task", "task"),
        ("task", "#1 @ana"),
    ]


async def test_long_handles_have_room(tmp_path: Path) -> None:
    long = "a" * 64
    talk = talk_of(tmp_path, **{long: "Decision: eight."})

    request = {"brief": f"How many, @{long}?", "inputs": {"path": "", "rounds": 1}, "on_gate": "approve"}
    result = await talk.bench.start("discussion", **request)

    assert result.status == "completed", result.error
    assert [each.status for each in await talk.space.read(Decisions())] == ["agreed"]
    await talk.say(f"@{long} rewrite #notes.md")
    assert (await talk.answer(lock_timeout_s=0)).status in {"completed", "failed"}
