"""What is saved, moved or deleted follows in the folder, and overwrites nothing that was not seen."""

from __future__ import annotations

import asyncio
import os
import stat
from typing import TypeVar

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import Command, ForceLock, SaveArtifact
from flowide.errors import BadInput, BadPath, Conflict, Exists, Fenced, StorageFailed
from flowide.project.folder import ProjectFolder
from flowide.space.api import Reply
from flowide.space.queries import Artifacts
from flowide.testing import MemorySpace
from tests.project.conftest import lock, versions, write_file

Ok = TypeVar("Ok")


# --- saving ----------------------------------------------------------------------------------------


async def test_the_mode_of_a_file_is_kept(folder: ProjectFolder, space: MemorySpace) -> None:
    file = folder.root / "run.sh"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o750)
    row = await folder.artifact(space, "run.sh")

    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="#!/bin/sh\nexit\n")

    assert stat.S_IMODE(file.stat().st_mode) == 0o750


async def test_a_refused_save_leaves_no_trace(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await folder.artifact(space, (await write_file(folder, "a.txt", "one\n")))

    with pytest.raises(Fenced):
        await folder.save(space, row, fence=41, base=1, data="two\n")
    fence = await lock(space, row.id)
    with pytest.raises(Conflict):
        await folder.save(space, row, fence=fence, base=7, data="two\n")

    assert (folder.root / "a.txt").read_text() == "one\n"
    assert sorted(file.name for file in folder.root.iterdir()) == [".flowide", "a.txt"]


async def test_a_refused_creation_leaves_no_folder(folder: ProjectFolder, space: MemorySpace) -> None:
    with pytest.raises(BadInput):
        await folder.create(space, "deep/er/a.txt", "text", note="n" * 20_000)

    assert [file.name for file in folder.root.iterdir()] == [".flowide"]


async def test_a_new_artifact_makes_its_folders(folder: ProjectFolder, space: MemorySpace) -> None:
    made = await folder.create(space, "docs/deep/a.md", "# A\n", lock=True)

    assert (folder.root / "docs/deep/a.md").read_text() == "# A\n"
    assert made.fence == 1
    assert (await folder.artifact(space, "docs/deep/a.md")).kind == "document"


async def test_creating_does_not_overwrite_a_file(folder: ProjectFolder, space: MemorySpace) -> None:
    await write_file(folder, "a.txt", "mine\n")

    with pytest.raises(Exists):
        await folder.create(space, "a.txt", "yours\n")

    assert (folder.root / "a.txt").read_text() == "mine\n"


async def test_nothing_is_saved_when_the_folder_takes_no_file(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await write_file(folder, "sub/a.txt", "one\n"))
    fence = await lock(space, row.id)
    (folder.root / "sub/a.txt").rename(folder.root / "kept.txt")
    (folder.root / "sub").rmdir()
    (folder.root / "sub").write_text("a file now")

    with pytest.raises((StorageFailed, BadPath)):
        await folder.save(space, row, fence=fence, base=1, data="two\n")

    assert len(await versions(space, row.id)) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
async def test_a_read_only_folder_refuses_before_anything_is_saved(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await write_file(folder, "sub/a.txt", "one\n"))
    fence = await lock(space, row.id)
    (folder.root / "sub").chmod(0o500)

    with pytest.raises(StorageFailed):
        await folder.save(space, row, fence=fence, base=1, data="two\n")

    (folder.root / "sub").chmod(0o700)
    assert len(await versions(space, row.id)) == 1


# --- versions made elsewhere -----------------------------------------------------------------------


async def test_writing_out_brings_the_file_to_the_newest_version(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    await space.execute(SaveArtifact(artifact=row.id, fence=fence, base=1, text="two\n"))

    await folder.write_out(space, row)

    assert (folder.root / "a.txt").read_text() == "two\n"


async def test_writing_out_does_not_overwrite_a_change(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    await space.execute(SaveArtifact(artifact=row.id, fence=fence, base=1, text="two\n"))
    (folder.root / "a.txt").write_text("from vim\n")

    with pytest.raises(Conflict):
        await folder.write_out(space, row)

    assert (folder.root / "a.txt").read_text() == "from vim\n"


async def test_restore_move_and_delete_follow_on_disk(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.sh", "one\n"))
    (folder.root / "a.sh").chmod(0o755)
    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="two\n")

    await folder.restore(space, row, fence=await lock(space, row.id), base=2, version=1)
    assert (folder.root / "a.sh").read_text() == "one\n"

    await folder.move(space, row, "bin/b.sh", fence=await lock(space, row.id), base=3)
    assert not (folder.root / "a.sh").exists()
    assert (folder.root / "bin/b.sh").read_text() == "one\n"
    assert stat.S_IMODE((folder.root / "bin/b.sh").stat().st_mode) == 0o755

    await folder.delete(space, row, fence=await lock(space, row.id), base=4)
    assert not (folder.root / "bin/b.sh").exists()

    await folder.restore(space, row, fence=await lock(space, row.id), base=5, version=2)
    assert (folder.root / "bin/b.sh").read_text() == "two\n"


async def test_moving_does_not_overwrite_a_file(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    await write_file(folder, "b.txt", "other\n")
    fence = await lock(space, row.id)

    with pytest.raises(Exists):
        await folder.move(space, row, "b.txt", fence=fence, base=1)

    assert (folder.root / "b.txt").read_text() == "other\n"


async def test_deleting_does_not_take_an_unseen_change_with_it(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    (folder.root / "a.txt").write_text("from vim\n")

    with pytest.raises(Conflict):
        await folder.delete(space, row, fence=fence, base=1)

    assert (folder.root / "a.txt").read_text() == "from vim\n"


async def test_many_tasks_touching_one_new_file_make_one_artifact(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    await write_file(folder, "a.txt", "one\n")

    rows = await asyncio.gather(*(folder.artifact(space, "a.txt") for _ in range(20)))

    assert len({row.id for row in rows}) == 1
    listed = await space.read(Artifacts())
    assert len(listed) == 1


class SlowSpace(MemorySpace):
    """Answers a while after it has decided."""

    async def execute(self, command: Command[Ok], *, id: str | None = None) -> Reply[Ok]:
        reply = await super().execute(command, id=id)
        await asyncio.sleep(0.05)
        return reply


async def test_a_save_that_is_cancelled_midway_is_whole(folder: ProjectFolder) -> None:
    space = SlowSpace(Actor("ana"))
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    saving = asyncio.create_task(folder.save(space, row, fence=fence, base=1, data="two\n"))
    while len(await versions(space, row.id)) == 1:
        await asyncio.sleep(0)
    saving.cancel()

    with pytest.raises(asyncio.CancelledError):
        await saving

    assert (folder.root / "a.txt").read_text() == "two\n"
    assert sorted(file.name for file in folder.root.iterdir()) == [".flowide", "a.txt"]


async def test_a_forced_lock_ends_the_saving(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await folder.artifact(space, await write_file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    await space.acting_as(Actor("bob")).execute(ForceLock(artifact=row.id, reason="needed", take=True))

    with pytest.raises(Fenced):
        await folder.save(space, row, fence=fence, base=1, data="two\n")

    assert (folder.root / "a.txt").read_text() == "one\n"
