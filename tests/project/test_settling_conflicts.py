"""Where a person's text goes when a conflict is settled."""

from __future__ import annotations

import pytest

from flowide.domain.commands import ReleaseLock
from flowide.errors import BadInput, Conflict
from flowide.project.conflicts import CHOICES
from flowide.project.folder import ProjectFolder
from flowide.space.queries import Content, Drafts, History, LiveDraft, Locks, OneVariationSet, VariationText
from flowide.testing import MemorySpace
from tests.project.conftest import lock
from tests.project.two_sides import BASE, BOTH, DISK, MINE, edited_on_both_sides, newest, on_disk, stale_file

# --- its answers, while mine is a draft under my lock ----------------------------------------------


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


# --- while mine is the file ------------------------------------------------------------------------


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
