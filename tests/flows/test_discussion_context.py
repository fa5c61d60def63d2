"""Who answers knows what concerns the question."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from flowide.domain.commands import (
    AcquireLock,
    AgreeDecision,
    PinArtifact,
    PostMessage,
    ProposeDecision,
    SupersedeDecision,
)
from flowide.space.queries import ThreadMessages, Threads
from tests.flows.conftest import Bench
from tests.flows.talk import NOTES, Talk, make_talkers, talk_of


async def save(talk: Talk, path: str, text: str) -> str:
    """Make the next version of a file; the id of its artifact."""
    row = await talk.bench.folder.artifact(talk.space, path)
    fence = (await talk.space.execute(AcquireLock(artifact=row.id))).ok.fence or 0
    await talk.bench.folder.save(talk.space, row, fence=fence, base=row.version, data=text)
    return row.id


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
