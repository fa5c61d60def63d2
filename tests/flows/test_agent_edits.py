"""An agent that is asked to change a file does it under the lock, or says why it could not."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import AcquireLock, ForceLock, ReleaseLock, SaveArtifact
from flowide.errors import StorageFailed
from flowide.flows.drafting import BlockLines
from flowide.flows.engine import Surroundings
from flowide.space.queries import Content, Drafts, FindArtifact, History, LiveDraft, Locks, Runs, Verify
from flowide.testing import ManualClock
from tests.flows.conftest import Bench
from tests.flows.talk import NOTES, Breaking, Talk, make_talkers, talk_of
from tests.project_with_agents import SHOP

NEW = NOTES.replace("Enough.", "More of them.")
REPLY = f"I changed the last line.\n\n```markdown\n{NEW}```\n"


def on_edit(text: str) -> list[dict[str, str]]:
    return [{"on": "edit", "text": text}, {"on": "discuss", "text": "Only words."}]


async def test_an_agent_saves_under_the_lock_with_the_message_as_the_reason(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, mara=on_edit(REPLY))
    asked = await talk.say("@mara please rewrite the tests in #notes.md")

    result = await talk.answer()

    assert result.status == "completed"
    artifact = asked.refs[0]["artifact"]
    version = (await talk.space.read(History(artifact)))[-1]
    assert (version.version, version.actor, version.kind, version.for_) == (2, "mara", "agent", "ana")
    assert version.note == "@mara please rewrite the tests in #notes.md"
    assert version.parents == [{"thread": talk.thread, "message": asked.id, "number": 1}]
    assert (tmp_path / "project" / "notes.md").read_text() == NEW
    assert (await talk.said())[1][1] == (
        "I changed the last line.\n\nSaved #notes.md@2: 1 lines added, 1 removed."
    )
    [lock] = await talk.space.read(Locks(artifact))
    assert lock.lock.state == "free"


async def test_a_piece_is_changed_and_the_rest_stays(tmp_path: Path) -> None:
    body = "class Shop:\n    def total(self):\n        return 7\n"
    talk = talk_of(tmp_path, mara=on_edit(f"Done.\n\n```python\n{body}```\n"))
    await talk.say("@mara fix #src/shop.py:Shop.total")

    await talk.answer()

    text = (tmp_path / "project" / "src" / "shop.py").read_text()
    assert text == SHOP.replace("return sum(self.stock.values())", "return 7")


async def test_words_about_a_file_change_nothing(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, mara=on_edit(REPLY))
    await talk.say("@mara what would you change in #notes.md?")

    await talk.answer()

    assert (await talk.said())[1] == ("mara", "Only words.")
    assert (tmp_path / "project" / "notes.md").read_text() == NOTES


async def test_a_held_lock_is_told_with_its_holder_and_its_end(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, mara=on_edit(REPLY))
    asked = await talk.say("@mara apply that to #notes.md")
    rod = talk.space.acting_as(Actor("rod"))
    await rod.execute(AcquireLock(artifact=asked.refs[0]["artifact"], purpose="spelling"))

    result = await talk.answer(lock_timeout_s=0)

    assert result.exit_code == 5
    text = (await talk.said())[-1][1]
    assert text.startswith("I could not change #notes.md: rod, a person, holds it since ")
    assert "for 'spelling'" in text and "runs out in 30 s unless it is renewed" in text
    assert await talk.turns() == []


async def test_an_agent_waits_in_the_queue_and_says_so(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, mara=on_edit(REPLY))
    asked = await talk.say("@mara apply that to #notes.md")
    artifact = asked.refs[0]["artifact"]
    rod = talk.space.acting_as(Actor("rod"))
    fence = (await rod.execute(AcquireLock(artifact=artifact))).ok.fence or 0
    answering = asyncio.create_task(talk.answer(lock_timeout_s=20))
    async with asyncio.timeout(20):
        while len(await talk.messages()) < 2:
            await asyncio.sleep(0.02)
    await rod.execute(ReleaseLock(artifact=artifact, fence=fence))

    result = await answering

    assert result.status == "completed"
    said = [text for _, text in await talk.said()]
    assert said[1].startswith("I cannot change #notes.md yet: rod, a person, holds it")
    assert said[1].endswith("I am in the queue.")
    assert said[2].startswith("I changed the last line.")


async def test_the_draft_can_be_watched_and_holds_no_chatter(tmp_path: Path) -> None:
    long = NOTES + "".join(f"line {n} of many\n" for n in range(300))
    talk = talk_of(tmp_path, mara=on_edit(f"Here it is:\n\n```markdown\n{long}```\nBye.\n"))
    talk.bench.around = Surroundings(env={"FLOWIDE_SCRIPTED_PACE": "6000"})
    asked = await talk.say("@mara apply that to #notes.md")
    answering = asyncio.create_task(talk.answer())

    draft = None
    async with asyncio.timeout(20):
        while draft is None or len(draft.text) < 1000:
            await asyncio.sleep(0.02)
            draft = await talk.space.read(LiveDraft(asked.refs[0]["artifact"]))

    assert long.startswith(draft.text)
    await answering
    assert await talk.space.read(Drafts()) == []


async def test_a_lock_that_is_taken_away_ends_the_edit_and_keeps_the_draft(tmp_path: Path) -> None:
    long = NOTES + "".join(f"line {n} of many\n" for n in range(2000))
    talk = talk_of(tmp_path, mara=on_edit(f"```markdown\n{long}```\n"))
    talk.bench.around = Surroundings(env={"FLOWIDE_SCRIPTED_PACE": "20000"})
    asked = await talk.say("@mara apply that to #notes.md")
    artifact = asked.refs[0]["artifact"]
    answering = asyncio.create_task(talk.answer())
    async with asyncio.timeout(20):
        while await talk.space.read(LiveDraft(artifact)) is None:
            await asyncio.sleep(0.02)

    await talk.space.execute(ForceLock(artifact=artifact, reason="mine", take=True))
    result = await answering

    assert result.exit_code == 9
    assert (await talk.said())[-1][1].startswith("I could not change #notes.md: the lock was taken away")
    assert [draft.actor for draft in await talk.space.read(Drafts())] == ["mara"]
    assert await talk.space.read(Content(artifact)) == NOTES.encode()


async def test_a_file_that_is_changed_outside_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, mara=on_edit(f"```markdown\n{NEW}{'x ' * 3000}\n```\n"))
    talk.bench.around = Surroundings(env={"FLOWIDE_SCRIPTED_PACE": "6000"})
    await talk.say("@mara apply that to #notes.md")
    answering = asyncio.create_task(talk.answer())
    async with asyncio.timeout(20):
        while not talk.bench.watcher.deltas:
            await asyncio.sleep(0.02)
    (tmp_path / "project" / "notes.md").write_text("by vim\n")

    result = await answering

    assert result.exit_code == 9
    assert (tmp_path / "project" / "notes.md").read_text() == "by vim\n"
    assert (await talk.said())[-1][1].startswith("I could not change #notes.md")


@pytest.mark.parametrize("after", range(0, 40, 3))
async def test_an_edit_that_broke_off_anywhere_is_made_once(tmp_path: Path, after: int) -> None:
    bench = Bench(make_talkers(tmp_path / "project", mara=on_edit(REPLY)))
    clock = ManualClock()
    bench.space = Breaking(Actor("ana"), clock=clock)
    Breaking.left = 10**9
    talk = Talk(bench)
    asked = await talk.say("@mara apply that to #notes.md")
    Breaking.left = after
    with suppress(StorageFailed):
        await talk.answer()
    Breaking.left = 10**9
    clock.sleep(10_000)

    runs = await talk.space.read(Runs())
    result = await (bench.resume(runs[0].id) if runs and runs[0].status != "completed" else talk.answer())

    assert result.status == "completed"
    versions = await talk.space.read(History(asked.refs[0]["artifact"]))
    assert len(versions) == 2
    assert [actor for actor, _ in await talk.said()] == ["ana", "mara"]
    assert (tmp_path / "project" / "notes.md").read_text() == NEW
    assert await talk.space.read(Verify()) == []


async def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, mara=on_edit(REPLY))
    asked = await talk.say("@mara please write that up in #docs/new.md")
    assert (asked.edits, asked.refs) == ({"mara": "docs/new.md"}, [])

    result = await talk.answer()

    assert result.status == "completed", result.error
    assert (tmp_path / "project" / "docs" / "new.md").read_text() == NEW
    row = await talk.space.read(FindArtifact("docs/new.md"))
    [version] = await talk.space.read(History(row.id))
    assert (version.actor, version.for_, version.note) == ("mara", "ana", asked.text)
    assert version.parents == [{"thread": talk.thread, "message": asked.id, "number": 1}]
    lines = NEW.count("\n")
    assert (await talk.said())[1][1] == f"I changed the last line.\n\nMade #docs/new.md@1: {lines} lines."


@pytest.mark.parametrize("path", [".flowide/agents/evil.md", "../out.md", "nul\0.md", "notes"])
async def test_no_file_is_made_where_agents_may_not_write_or_that_is_no_path(
    tmp_path: Path, path: str
) -> None:
    talk = talk_of(tmp_path, mara=on_edit(REPLY))
    await talk.say(f"@mara create #{path}")

    await talk.answer()

    files = {each.name for each in tmp_path.rglob("*") if each.is_file()}
    assert not files & {"evil.md", "out.md", "notes"}


@pytest.mark.parametrize("after", range(0, 24))
async def test_a_file_that_is_made_is_made_once_however_it_broke_off(tmp_path: Path, after: int) -> None:
    bench = Bench(make_talkers(tmp_path / "project", mara=on_edit(REPLY)))
    clock = ManualClock()
    bench.space = Breaking(Actor("ana"), clock=clock)
    Breaking.left = 10**9
    talk = Talk(bench)
    await talk.say("@mara create #new.md")
    Breaking.left = after
    with suppress(StorageFailed):
        await talk.answer()
    Breaking.left = 10**9
    clock.sleep(10_000)

    runs = await talk.space.read(Runs())
    result = await (bench.resume(runs[0].id) if runs and runs[0].status != "completed" else talk.answer())

    assert result.status == "completed"
    row = await talk.space.read(FindArtifact("new.md"))
    versions = await talk.space.read(History(row.id))
    assert len(versions) == 1
    assert [actor for actor, _ in await talk.said()] == ["ana", "mara"]
    assert (tmp_path / "project" / "new.md").read_text() == NEW
    assert await talk.space.read(Verify()) == []


async def test_a_text_written_for_an_older_version_is_not_saved_over_a_newer_one(tmp_path: Path) -> None:
    """The process is gone between the answer and the save, and somebody saves before it is resumed."""
    for after in range(4, 40):
        bench = Bench(make_talkers(tmp_path / f"project-{after}", mara=on_edit(REPLY)))
        clock = ManualClock()
        bench.space = Breaking(Actor("ana"), clock=clock)
        Breaking.left = 10**9
        talk = Talk(bench)
        asked = await talk.say("@mara apply that to #notes.md")
        artifact = asked.refs[0]["artifact"]
        Breaking.left = after
        with suppress(StorageFailed):
            await talk.answer()
        Breaking.left = 10**9
        clock.sleep(60_000)
        done = [e.data async for e in talk.space.events() if e.type == "run.step" and e.data["usage"]]
        versions = await talk.space.read(History(artifact))
        if not done or len(versions) > 1:
            continue
        fence = (await talk.space.execute(AcquireLock(artifact=artifact))).ok.fence or 0
        await talk.space.execute(
            SaveArtifact(artifact=artifact, fence=fence, base=1, text="newer\n", then="release")
        )
        (tmp_path / f"project-{after}" / "notes.md").write_text("newer\n")

        result = await bench.resume((await talk.space.read(Runs()))[0].id)

        assert result.exit_code == 9
        assert await talk.space.read(Content(artifact)) == b"newer\n"
        assert "at version 2 now" in (await talk.said())[-1][1]
        return
    raise AssertionError("no point between answer and save was hit")


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_the_lines_of_the_first_block_come_out_whatever_the_parts(size: int) -> None:
    text = "Hi\n~~~~md\na\n```\nb\n```\n~~~~ \nc\n```\nd\n```\n"
    lines = BlockLines()

    out = [line for at in range(0, len(text), size) for line in lines.feed(text[at : at + size])]

    assert "".join(out) == "a\n```\nb\n```\n"
