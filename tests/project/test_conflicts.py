"""Two texts for one version: a card asks, theirs stands, and mine goes where a person wants it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import AnswerGate, Command, ForceLock, ReleaseLock, SaveArtifact
from flowide.errors import BadInput, Busy, Conflict, Gone, NotAllowed, NotFound
from flowide.project.answering import answer
from flowide.project.conflicts import CHOICES, cards, find_card
from flowide.project.folder import ProjectFolder
from flowide.project.resolving import sides
from flowide.space.api import Reply
from flowide.space.queries import Drafts, FindArtifact, Gates, History, VariationText
from flowide.testing import MemorySpace
from tests.project.conftest import lock
from tests.project.two_sides import BASE, BOTH, DISK, MINE, edited_on_both_sides, newest, on_disk, stale_file

# --- the card --------------------------------------------------------------------------------------


async def test_a_save_on_top_of_a_noticed_conflict_is_the_same_conflict(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row, noticed = await edited_on_both_sides(folder, space)
    fence = noticed.fence or 0

    for text in (MINE + "more\n", MINE + "else\n"):
        with pytest.raises(Conflict):
            await folder.save(space, row, fence=fence, base=1, data=text.encode())

    [card] = await cards(space)
    told = await sides(folder, space, card)
    assert (told.mine, told.theirs) == ((MINE + "else\n").encode(), DISK.encode())


async def test_a_draft_that_says_something_else_than_the_save_keeps_its_card(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row, noticed = await edited_on_both_sides(folder, space)

    with pytest.raises(Conflict):
        await folder.save(space, row, fence=noticed.fence or 0, base=1, data=b"from a script\n")

    assert len(await cards(space)) == 2


async def test_a_card_names_both_sides_and_what_they_are_made_from(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    _, card = await edited_on_both_sides(folder, space)

    texts = await sides(folder, space, card)

    assert (card.path, card.base, card.holder) == ("a.txt", 1, "ana")
    assert (texts.base, texts.mine, texts.theirs) == (BASE.encode(), MINE.encode(), DISK.encode())
    [gate] = await space.read(Gates())
    assert (gate.kind, gate.options) == ("conflict", list(CHOICES))


async def test_looking_again_asks_no_second_time(folder: ProjectFolder, space: MemorySpace) -> None:
    _, card = await edited_on_both_sides(folder, space)
    for text in ("again\n", "and again\n"):
        (folder.root / "a.txt").write_text(text)
        with pytest.raises(Conflict) as refused:
            await folder.artifact(space, "a.txt")
        assert refused.value.data["conflict"] == card.id

    [_] = await space.read(Gates())


async def test_a_save_over_a_changed_file_keeps_the_text_in_its_card(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    (folder.root / "a.txt").write_text(BASE)
    row = await folder.artifact(space, "a.txt")
    fence = await lock(space, row.id)
    (folder.root / "a.txt").write_text(DISK)

    with pytest.raises(Conflict) as refused:
        await folder.save(space, row, fence=fence, base=1, data=MINE)

    card = await find_card(space, refused.value.data["conflict"])
    assert (await sides(folder, space, card)).mine == MINE.encode()
    assert on_disk(folder) == DISK


async def test_a_text_made_from_an_older_version_is_a_card_too(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    (folder.root / "a.txt").write_text(BASE)
    row = await folder.artifact(space, "a.txt")
    fence = await lock(space, row.id)
    await folder.save(space, row, fence=fence, base=1, data=DISK, then="keep")

    with pytest.raises(Conflict) as refused:
        await folder.save(space, row, fence=fence, base=1, data=MINE)
    made = await folder.resolve(space, refused.value.data["conflict"], "merge", save=True)

    assert made.version == 3
    assert on_disk(folder) == BOTH


async def test_a_base_that_never_was_is_just_refused(folder: ProjectFolder, space: MemorySpace) -> None:
    (folder.root / "a.txt").write_text(BASE)
    row = await folder.artifact(space, "a.txt")

    with pytest.raises(Conflict):
        await folder.save(space, row, fence=await lock(space, row.id), base=7, data=MINE)

    assert await space.read(Gates()) == []


async def test_what_happens_to_a_file_is_asked_in_the_log_by_the_disk(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    await edited_on_both_sides(folder, space)

    opened = [event async for event in space.events() if event.type == "gate.opened"]

    assert [event.actor["id"] for event in opened] == ["disk"]


# --- who and when ----------------------------------------------------------------------------------


async def test_nobody_settles_what_another_is_writing(folder: ProjectFolder, space: MemorySpace) -> None:
    row, card = await edited_on_both_sides(folder, space)
    bob = space.acting_as(Actor("bob"))

    with pytest.raises(Busy) as refused:
        await folder.resolve(bob, card.id)
    assert "ana" in str(refused.value)
    await bob.execute(ForceLock(artifact=row.id, reason="ana is away"))
    with pytest.raises(NotAllowed):
        await folder.resolve(bob, card.id, "discard")
    made = await folder.resolve(bob, card.id)

    assert made.set is not None
    assert await space.read(VariationText(made.set, 1)) == MINE


async def test_agents_do_not_settle_conflicts(folder: ProjectFolder, space: MemorySpace) -> None:
    _, card = await edited_on_both_sides(folder, space)

    with pytest.raises(NotAllowed):
        await folder.resolve(space.acting_as(Actor("edwin", "agent", "ana")), card.id)

    [_] = await space.read(Gates())


async def test_a_conflict_is_settled_once(folder: ProjectFolder, space: MemorySpace) -> None:
    _, card = await edited_on_both_sides(folder, space)
    await folder.resolve(space, card.id)

    with pytest.raises(Gone):
        await folder.resolve(space, card.id, "discard")
    with pytest.raises(BadInput):
        await folder.resolve(space, card.id, "whatever")
    with pytest.raises(NotFound):
        await folder.resolve(space, "0000")


async def test_the_answer_to_its_gate_is_carried_out(folder: ProjectFolder, space: MemorySpace) -> None:
    row, _ = await edited_on_both_sides(folder, space)
    [gate] = await space.read(Gates())

    await answer(folder, space, gate, "draft", "later")

    [_] = await space.read(Drafts(row.id))
    [gate] = await space.read(Gates(status=None))
    assert (gate.answer, gate.reason, gate.by) == ("draft", "later", "ana")


async def test_other_gates_are_just_answered(folder: ProjectFolder, space: MemorySpace) -> None:
    from flowide.domain.commands import OpenGate

    await space.execute(OpenGate(gate="g", kind="approve", question="Fine?"))
    [gate] = await space.read(Gates())

    await answer(folder, space, gate, "yes")

    assert (await space.read(Gates(status=None)))[0].answer == "yes"


async def test_a_conflict_that_went_away_by_itself_is_closed(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row, _ = await edited_on_both_sides(folder, space, mine=None)
    (folder.root / "a.txt").write_text(BASE)

    assert await folder.conflicts(space) == []
    assert (await cards(space, status=None))[0].answer == "draft"
    [_] = await space.read(History(row.id))


async def test_a_release_without_a_text_closes_the_card(folder: ProjectFolder, space: MemorySpace) -> None:
    row, card = await edited_on_both_sides(folder, space, mine=None)
    await space.execute(ReleaseLock(artifact=row.id, fence=card.fence or 0))

    await folder.artifact(space, "a.txt")

    assert await cards(space) == []


async def test_an_answer_given_past_the_folder_loses_nothing(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row, card = await edited_on_both_sides(folder, space)

    await space.execute(AnswerGate(gate=card.id, answer="draft"))
    await space.execute(ReleaseLock(artifact=row.id, fence=card.fence or 0))
    await folder.artifact(space, "a.txt")

    assert await newest(space, row) == DISK
    [draft] = await space.read(Drafts(row.id))
    assert await space.blob(draft.sha256) == MINE.encode()


async def test_an_editor_that_writes_at_the_very_moment_of_a_save_is_not_overwritten(
    folder: ProjectFolder, space: MemorySpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.root / "a.txt").write_text(BASE)
    row = await folder.artifact(space, "a.txt")
    fence = await lock(space, row.id)
    execute = space.execute

    async def execute_then_vim(command: Command[Any]) -> Reply[Any]:
        reply = await execute(command)
        if isinstance(command, SaveArtifact):
            (folder.root / ".a.swp").write_text(DISK)
            (folder.root / ".a.swp").rename(folder.root / "a.txt")
        return reply

    monkeypatch.setattr(space, "execute", execute_then_vim)
    with pytest.raises(Conflict) as refused:
        await folder.save(space, row, fence=fence, base=1, data=MINE)

    assert (await newest(space, row), on_disk(folder)) == (MINE, DISK)
    card = await find_card(space, refused.value.data["conflict"])
    assert (card.shape, card.base) == ("disk", 1)
    assert sorted(file.name for file in folder.root.iterdir()) == [".flowide", "a.txt"]


async def test_an_editor_that_writes_while_a_conflict_is_settled_is_not_overwritten(
    folder: ProjectFolder, space: MemorySpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, card = await stale_file(folder, space)
    batch = space.batch

    async def batch_then_vim(commands: list[Command[Any]]) -> Reply[list[Any]]:
        reply = await batch(commands)
        (folder.root / "a.txt").write_text("later\n")
        return reply

    monkeypatch.setattr(space, "batch", batch_then_vim)
    await folder.resolve(space, card.id)

    assert on_disk(folder) == "later\n"


async def test_an_open_card_survives_the_process(
    folder: ProjectFolder, space: MemorySpace, root: Path
) -> None:
    row, card = await edited_on_both_sides(folder, space)

    made = await ProjectFolder.open(root).resolve(space, card.id, "merge", save=True)

    assert (await space.read(FindArtifact(row.id))).version == made.version == 3


async def test_a_memory_of_another_log_does_not_bring_the_file_back(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    """A backup of the workspace came back: the file is newer than the log, and stays."""
    (folder.root / "a.txt").write_text(BASE)
    row = await folder.artifact(space, "a.txt")
    (folder.root / "a.txt").write_text("from the time after the backup\n")
    folder.ledger.note(row.id, 9, sha256(b"from the time after the backup\n").hexdigest())

    row = await folder.artifact(space, "a.txt")

    assert row.version == 2
    assert on_disk(folder) == "from the time after the backup\n"
