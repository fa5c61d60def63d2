"""Two texts for one version: a card asks, theirs stands, and mine goes where a person wants it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import AnswerGate, AppendDraft, Command, ForceLock, ReleaseLock, SaveArtifact
from flowide.domain.rows import Artifact
from flowide.errors import BadInput, Busy, Conflict, Gone, NotAllowed, NotFound
from flowide.project.answering import answer
from flowide.project.conflicts import CHOICES, Card, cards, find_card
from flowide.project.folder import ProjectFolder
from flowide.project.resolving import sides
from flowide.space.api import Reply
from flowide.space.queries import (
    Content,
    Drafts,
    FindArtifact,
    Gates,
    History,
    LiveDraft,
    Locks,
    OneVariationSet,
    VariationText,
)
from flowide.testing import MemorySpace
from tests.project.conftest import lock

BASE = "one\ntwo\nthree\nfour\nfive\n"
MINE = "one\ntwo\nthree\nfour\nFIVE by ana\n"
DISK = "ONE by vim\ntwo\nthree\nfour\nfive\n"
BOTH = "ONE by vim\ntwo\nthree\nfour\nFIVE by ana\n"


async def edited_on_both_sides(
    folder: ProjectFolder, space: MemorySpace, *, mine: str | None = MINE, disk: str | bytes = DISK
) -> tuple[Artifact, Card]:
    """Ana writes a draft under her lock while another program changes the file; somebody looks."""
    (folder.root / "a.txt").write_text(BASE)
    row = await folder.artifact(space, "a.txt")
    fence = await lock(space, row.id)
    if mine is not None:
        await space.execute(AppendDraft(artifact=row.id, fence=fence, off=0, text=mine))
    (folder.root / "a.txt").write_bytes(disk.encode() if isinstance(disk, str) else disk)
    with pytest.raises(Conflict) as refused:
        await folder.artifact(space, "a.txt")
    return row, await find_card(space, refused.value.data["conflict"])


async def stale_file(
    folder: ProjectFolder, space: MemorySpace, *, edited: str = DISK
) -> tuple[Artifact, Card]:
    """A version is saved without the folder; another program, which has not seen it, changes the file."""
    (folder.root / "a.txt").write_text(BASE)
    row = await folder.artifact(space, "a.txt")
    fence = await lock(space, row.id)
    await space.execute(SaveArtifact(artifact=row.id, fence=fence, base=1, text=MINE))
    (folder.root / "a.txt").write_text(edited)
    with pytest.raises(Conflict) as refused:
        await folder.artifact(space, "a.txt")
    return row, await find_card(space, refused.value.data["conflict"])


def on_disk(folder: ProjectFolder) -> str:
    return (folder.root / "a.txt").read_text()


async def newest(space: MemorySpace, row: Artifact) -> str:
    return (await space.read(Content(row.id))).decode()


# --- the card ---------------------------------------------------------------------------------------


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


# --- its answers, while mine is a draft under my lock --------------------------------------------------


async def test_mine_becomes_a_variation_and_the_file_a_version(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row, card = await edited_on_both_sides(folder, space)

    made = await folder.resolve(space, card.id)

    assert made.set is not None and made.number == 1
    assert await space.read(VariationText(made.set, 1)) == MINE
    assert (await space.read(OneVariationSet(made.set))).set.base == 1
    assert await newest(space, row) == on_disk(folder) == DISK
    assert (await space.read(History(row.id)))[-1].actor == "disk"
    assert await space.read(Drafts(row.id)) == []
    assert [state.lock.state for state in await space.read(Locks(row.id))] == ["free"]


async def test_a_merge_waits_as_a_draft_under_the_lock_on_top_of_theirs(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row, card = await edited_on_both_sides(folder, space)

    made = await folder.resolve(space, card.id, "merge")

    live = await space.read(LiveDraft(row.id))
    assert live is not None
    assert (live.text, live.base, live.fence) == (BOTH, 2, made.fence)
    assert (await newest(space, row), on_disk(folder)) == (DISK, DISK)
    assert await space.read(Drafts(row.id)) == []


async def test_a_merge_without_conflicts_is_saved_when_asked_to(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row, card = await edited_on_both_sides(folder, space)

    made = await folder.resolve(space, card.id, "merge", save=True)

    assert made.version == 3
    assert await newest(space, row) == on_disk(folder) == BOTH


async def test_conflict_markers_are_never_saved_by_themselves(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row, card = await edited_on_both_sides(folder, space, disk=BASE.replace("five", "5 by vim"))

    made = await folder.resolve(space, card.id, "merge", save=True)

    assert made.conflicts == 1
    for version in await space.read(History(row.id)):
        assert b"<<<<<<<" not in await space.read(Content(row.id, version.version))
    assert "<<<<<<<" not in on_disk(folder)
    live = await space.read(LiveDraft(row.id))
    assert live is not None and "<<<<<<< ana\nFIVE by ana\n=======\n5 by vim\n>>>>>>> theirs\n" in live.text


async def test_mine_is_kept_as_a_draft(folder: ProjectFolder, space: MemorySpace) -> None:
    row, card = await edited_on_both_sides(folder, space)

    made = await folder.resolve(space, card.id, "draft")

    [draft] = await space.read(Drafts(row.id))
    assert draft.id == made.draft
    assert await space.blob(draft.sha256) == MINE.encode()
    assert await newest(space, row) == DISK


async def test_mine_is_let_go(folder: ProjectFolder, space: MemorySpace) -> None:
    row, card = await edited_on_both_sides(folder, space)

    await folder.resolve(space, card.id, "discard")

    assert await space.read(Drafts(row.id)) == []
    assert await newest(space, row) == on_disk(folder) == DISK


@pytest.mark.parametrize("choice", CHOICES)
async def test_a_lock_under_which_nothing_was_written_gives_way(
    folder: ProjectFolder, space: MemorySpace, choice: str
) -> None:
    row, card = await edited_on_both_sides(folder, space, mine=None)

    made = await folder.resolve(space, card.id, choice)

    assert made.nothing
    assert await newest(space, row) == DISK


@pytest.mark.parametrize("choice", CHOICES)
async def test_a_draft_that_outlived_its_lock_is_mine_too(
    folder: ProjectFolder, space: MemorySpace, choice: str
) -> None:
    row, card = await edited_on_both_sides(folder, space)
    await space.execute(ReleaseLock(artifact=row.id, fence=card.fence or 0))
    await folder.artifact(space, "a.txt")

    made = await folder.resolve(space, card.id, choice)

    left = [await space.blob(draft.sha256) for draft in await space.read(Drafts(row.id))]
    assert left == ([MINE.encode()] if choice == "draft" else [])
    if choice == "merge":
        assert made.conflicts == 0
        live = await space.read(LiveDraft(row.id))
        assert live is not None and live.text == BOTH


async def test_bytes_that_are_no_text_are_kept_in_a_file(folder: ProjectFolder, space: MemorySpace) -> None:
    (folder.root / "a.txt").write_bytes(b"\x00\x01")
    row = await folder.artifact(space, "a.txt")
    fence = await lock(space, row.id)
    (folder.root / "a.txt").write_bytes(b"\x00\x02")
    with pytest.raises(Conflict) as refused:
        await folder.save(space, row, fence=fence, base=1, data=b"\x00\x03")
    card = refused.value.data["conflict"]

    with pytest.raises(BadInput):
        await folder.resolve(space, card, "merge")
    made = await folder.resolve(space, card, "variation")

    assert made.kept is not None
    assert (folder.root / made.kept).read_bytes() == b"\x00\x03"
    assert (folder.root / "a.txt").read_bytes() == b"\x00\x02"


@pytest.mark.parametrize("choice", CHOICES)
async def test_a_draft_that_lagged_behind_the_save_is_not_left_over(
    folder: ProjectFolder, space: MemorySpace, choice: str
) -> None:
    row, _ = await edited_on_both_sides(folder, space, mine=MINE[:10])
    fence = (await space.read(Locks(row.id)))[0].lock.fence
    with pytest.raises(Conflict) as refused:
        await folder.save(space, row, fence=fence, base=1, data=MINE)

    await folder.resolve(space, refused.value.data["conflict"], choice)

    left = [await space.blob(draft.sha256) for draft in await space.read(Drafts(row.id))]
    assert left == ([MINE.encode()] if choice == "draft" else [])


# --- while mine is the file ---------------------------------------------------------------------------


async def test_a_file_made_from_an_older_version_does_not_undo_the_newest(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row, card = await stale_file(folder, space)

    assert (card.shape, card.base) == ("disk", 1)
    assert (await newest(space, row), on_disk(folder)) == (MINE, DISK)


@pytest.mark.parametrize("choice", CHOICES)
async def test_the_newest_version_stands_and_the_text_of_the_file_is_where_it_was_wanted(
    folder: ProjectFolder, space: MemorySpace, choice: str
) -> None:
    row, card = await stale_file(folder, space)

    made = await folder.resolve(space, card.id, choice)

    assert await newest(space, row) == on_disk(folder) == MINE
    if choice == "variation":
        assert made.set is not None
        assert await space.read(VariationText(made.set, 1)) == DISK
    elif choice == "merge":
        live = await space.read(LiveDraft(row.id))
        assert live is not None and live.text == BOTH
    elif choice == "draft":
        [draft] = await space.read(Drafts(row.id))
        assert await space.blob(draft.sha256) == DISK.encode()


async def test_a_file_edited_again_is_resolved_as_it_is_now(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    _, card = await stale_file(folder, space)
    (folder.root / "a.txt").write_text("later\n")

    made = await folder.resolve(space, card.id)

    assert made.set is not None
    assert await space.read(VariationText(made.set, 1)) == "later\n"


async def test_without_the_memory_of_what_stood_in_the_file_nothing_is_lost_either(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    (folder.root / "a.txt").write_text(BASE)
    row = await folder.artifact(space, "a.txt")
    (folder.root / "a.txt").write_text(DISK)
    (folder.dot_dir / "folder.db").write_bytes(
        b"not a database at all, but long enough to look like one" * 99
    )

    forgetful = ProjectFolder.open(folder.root)

    assert (await forgetful.artifact(space, "a.txt")).version == 2
    assert await newest(space, row) == DISK


# --- who and when -------------------------------------------------------------------------------------


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
