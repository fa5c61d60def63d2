"""What other programs do to files becomes versions, or is told."""

from __future__ import annotations

import asyncio
import time

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import AcquireLock, ReleaseLock, SaveArtifact
from flowide.errors import Conflict
from flowide.project.folder import ProjectFolder
from flowide.space.queries import Content, History, Locks
from flowide.testing import MemorySpace
from tests.project.conftest import lock, versions, write_file


async def test_a_change_on_disk_becomes_a_version_by_disk_under_a_lock(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    (folder.root / "a.txt").write_text("from vim\n")

    after = await folder.artifact(space, "a.txt")

    newest = (await versions(space, row.id))[-1]
    assert (after.version, newest.actor, newest.fence) == (2, "disk", 2)
    [state] = await space.read(Locks(row.id))
    assert state.lock.state == "free"


async def test_going_back_to_an_older_text_on_disk_is_a_change_too(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="two\n")
    await clock_moves_on(folder)
    (folder.root / "a.txt").write_text("one\n")

    after = await folder.artifact(space, "a.txt")

    assert after.version == 3
    assert (folder.root / "a.txt").read_text() == "one\n"


async def test_a_file_that_lags_behind_a_save_is_written_not_taken_for_a_change(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    await clock_moves_on(folder)
    fence = await lock(space, row.id)
    await space.execute(SaveArtifact(artifact=row.id, fence=fence, base=1, text="two\n"))

    after = await folder.artifact(space, "a.txt")

    assert after.version == 2
    assert (folder.root / "a.txt").read_text() == "two\n"


async def test_a_writer_that_died_before_its_rename_is_finished(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    staged = folder.tree.stage("a.txt", b"two\n")
    await space.execute(SaveArtifact(artifact=row.id, fence=fence, base=1, text="two\n"))
    del staged
    (folder.root / "a.txt").chmod(0o640)  # a later sign of life on the file does not matter

    after = await folder.artifact(space, "a.txt")

    assert after.version == 2
    assert (folder.root / "a.txt").read_text() == "two\n"
    assert sorted(file.name for file in folder.root.iterdir()) == [".flowide", "a.txt"]


async def test_a_change_under_a_lock_is_a_conflict_and_nothing_is_overwritten(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id, "rewriting")
    (folder.root / "a.txt").write_text("from vim\n")

    with pytest.raises(Conflict) as looked:
        await folder.artifact(space, "a.txt")
    with pytest.raises(Conflict):
        await folder.save(space, row, fence=fence, base=1, data="two\n")

    assert (folder.root / "a.txt").read_text() == "from vim\n"
    assert await space.blob(looked.value.data["disk_sha256"]) == b"from vim\n"
    assert len(await versions(space, row.id)) == 1


async def test_after_the_release_the_conflicting_text_becomes_a_version(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    (folder.root / "a.txt").write_text("from vim\n")
    await space.execute(ReleaseLock(artifact=row.id, fence=fence))

    after = await folder.artifact(space, "a.txt")

    assert await space.read(Content(row.id)) == b"from vim\n"
    assert after.version == 2


async def test_saving_what_stands_on_disk_already_is_no_conflict(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    (folder.root / "a.txt").write_text("edited in place\n")

    saved = await folder.save(space, row, fence=fence, base=1, data="edited in place\n")

    assert saved.version == 2


async def test_a_vanished_file_is_told_and_comes_back_with_the_next_save(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    (folder.root / "a.txt").unlink()

    assert (await folder.artifact(space, "a.txt")) == row
    assert folder.state(row) == "missing"
    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="two\n")

    assert (folder.root / "a.txt").read_text() == "two\n"


async def test_the_state_of_a_file_is_told(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    assert folder.state(row) == "same"

    (folder.root / "a.txt").write_text("two\n")

    assert folder.state(row) == "changed"


async def test_a_lapsed_lock_does_not_keep_a_change_out(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    await space.execute(AcquireLock(artifact=row.id, ttl_ms=500))
    (folder.root / "a.txt").write_text("from vim\n")
    await asyncio.sleep(0.6)

    assert (await folder.artifact(space, "a.txt")).version == 2


async def clock_moves_on(folder: ProjectFolder) -> None:
    """Until a file made now is later than everything before, on the disk's own coarse clock."""
    probe = folder.dot_dir / "probe"
    before = time.time_ns() + 2_000_000
    while True:
        probe.write_bytes(b"")
        if probe.stat().st_ctime_ns > before:
            probe.unlink()
            return
        await asyncio.sleep(0.002)


async def test_nobody_acts_for_the_disk(folder: ProjectFolder, space: MemorySpace) -> None:
    """A file taken in by an agent's look is still by `disk`."""
    (folder.root / "a.txt").write_text("one\n")

    row = await folder.artifact(space.acting_as(Actor("edwin", "agent", "ana")), "a.txt")

    [version] = await space.read(History(row.id))
    assert (version.actor, version.kind, version.for_) == ("disk", "system", None)
