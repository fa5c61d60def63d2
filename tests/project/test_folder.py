"""Files are artifacts, and neither is overwritten by the other."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from pathlib import Path
from typing import TypeVar

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import AcquireLock, Command, ForceLock, ReleaseLock, SaveArtifact
from flowide.domain.rows import Version
from flowide.errors import (
    BadInput,
    BadPath,
    Conflict,
    Exists,
    Fenced,
    NotAllowed,
    NotFound,
    StorageFailed,
    TooLarge,
)
from flowide.project.folder import ProjectFolder
from flowide.space.api import Reply
from flowide.space.queries import Artifacts, Content, History, Locks
from flowide.testing import MemorySpace
from tests.project.conftest import lock

Ok = TypeVar("Ok")

AWKWARD = [
    b"a\r\nb\r\n",
    b"\xef\xbb\xbfwith a mark\n",
    b"no line break at the end",
    b"",
    "Zoë 漢字 🙂\n".encode(),
    b"\xff\xfe not text",
    b"nul \x00 inside",
    b"x" * 300_000,
]


async def versions(space: MemorySpace, artifact: str) -> list[Version]:
    return await space.read(History(artifact))


# --- first touch ------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", AWKWARD, ids=lambda data: repr(data[:12]))
async def test_a_file_becomes_an_artifact_on_first_touch_byte_for_byte(
    folder: ProjectFolder, space: MemorySpace, data: bytes
) -> None:
    (folder.root / "notes.txt").write_bytes(data)

    row = await folder.artifact(space, "notes.txt")

    [version] = await versions(space, row.id)
    assert (version.actor, version.kind) == ("disk", "system")
    assert await space.read(Content(row.id)) == data


@pytest.mark.parametrize("data", AWKWARD, ids=lambda data: repr(data[:12]))
async def test_what_is_saved_stands_in_the_file_byte_for_byte(
    folder: ProjectFolder, space: MemorySpace, data: bytes
) -> None:
    (folder.root / "notes.txt").write_bytes(b"before")
    row = await folder.artifact(space, "notes.txt")

    saved = await folder.save(space, row, fence=await lock(space, row.id), base=1, data=data)

    assert saved.version == 2
    assert (folder.root / "notes.txt").read_bytes() == data
    assert (await folder.artifact(space, "notes.txt")).version == 2


async def test_looking_again_changes_nothing(folder: ProjectFolder, space: MemorySpace) -> None:
    (folder.root / "a.py").write_text("x = 1\n")
    await folder.artifact(space, "a.py")
    head = await space.head()

    await folder.artifact(space, "a.py")

    assert await space.head() == head


async def test_a_missing_file_is_not_found_and_close_names_are_told(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    (folder.root / "src").mkdir()
    (folder.root / "src" / "cache.py").write_text("")

    with pytest.raises(NotFound) as refused:
        await folder.artifact(space, "src/cahce.py")

    assert "src/cache.py" in refused.value.hint


async def test_an_artifact_is_found_by_its_id(folder: ProjectFolder, space: MemorySpace) -> None:
    (folder.root / "a.py").write_text("x = 1\n")
    row = await folder.artifact(space, "a.py")

    assert await folder.find(space, row.id) == row


async def test_names_that_differ_only_in_case_are_refused(folder: ProjectFolder, space: MemorySpace) -> None:
    (folder.root / "readme.md").write_text("one\n")
    await folder.artifact(space, "readme.md")
    (folder.root / "README.md").write_text("two\n")
    if (folder.root / "readme.md").read_text() == "two\n":
        pytest.skip("this disk does not tell them apart")

    with pytest.raises(Exists, match=r"readme\.md"):
        await folder.artifact(space, "README.md")


async def test_a_decomposed_name_on_disk_is_found_by_its_composed_form(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    (folder.root / "Zoe\u0308.md").write_text("one\n")

    row = await folder.artifact(space, "Zo\u00eb.md")
    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="two\n")

    assert row.path == "Zo\u00eb.md"
    assert [file.read_text() for file in folder.root.glob("Zo*")] == ["two\n"]


@pytest.mark.parametrize(
    "path",
    [
        "../secret", "a/../../secret", "/etc/passwd", "", ".", "a//b", "a\0b", "a\nb", "C:/x", "a\\b", "con",
        ".git/config", "sub/.GIT/hooks/post-commit", ".flowide/workspace.db", ".flowide", "a\ud800",
    ],
)  # fmt: skip
async def test_paths_that_may_not_name_an_artifact_are_refused(
    folder: ProjectFolder, space: MemorySpace, path: str
) -> None:
    with pytest.raises(BadPath):
        await folder.artifact(space, path)
    with pytest.raises(BadPath):
        await folder.create(space, path, "text")


async def test_settings_of_the_workspace_are_for_people(folder: ProjectFolder, space: MemorySpace) -> None:
    await folder.create(space, ".flowide/agents/edwin.md", "---\nhandle: edwin\n---\n")
    agent = space.acting_as(Actor("edwin", "agent", "ana"))

    with pytest.raises(NotAllowed):
        await folder.artifact(agent, ".flowide/agents/edwin.md")


async def test_a_link_out_of_the_project_is_not_followed(
    folder: ProjectFolder, space: MemorySpace, tmp_path: Path
) -> None:
    (tmp_path / "outside.txt").write_text("secret")
    (folder.root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (folder.root / "out").symlink_to(tmp_path)

    for path in ("link.txt", "out/outside.txt", "out/new.txt"):
        with pytest.raises(BadPath):
            await folder.artifact(space, path)
        with pytest.raises(BadPath):
            await folder.create(space, path, "text")
    assert (tmp_path / "outside.txt").read_text() == "secret"


async def test_a_link_inside_the_project_is_the_file_it_leads_to(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    (folder.root / "real.txt").write_text("one\n")
    (folder.root / "alias.txt").symlink_to("real.txt")

    row = await folder.artifact(space, "alias.txt")
    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="two\n")

    assert row.path == "real.txt"
    assert (folder.root / "alias.txt").is_symlink()
    assert (folder.root / "alias.txt").read_text() == "two\n"


async def test_a_file_that_became_a_link_is_not_written_through(
    folder: ProjectFolder, space: MemorySpace, tmp_path: Path
) -> None:
    (folder.root / "a.txt").write_text("one\n")
    row = await folder.artifact(space, "a.txt")
    fence = await lock(space, row.id)
    (tmp_path / "outside.txt").write_text("secret")
    (folder.root / "a.txt").unlink()
    (folder.root / "a.txt").symlink_to(tmp_path / "outside.txt")

    with pytest.raises(BadPath):
        await folder.save(space, row, fence=fence, base=1, data="two\n")

    assert (tmp_path / "outside.txt").read_text() == "secret"
    assert len(await versions(space, row.id)) == 1


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
async def test_what_is_no_regular_file_is_refused(
    folder: ProjectFolder, space: MemorySpace, make: object
) -> None:
    assert callable(make)
    make(folder.root / "thing")

    with pytest.raises(BadInput):
        await folder.artifact(space, "thing")


async def test_a_file_above_the_limit_is_refused_before_it_is_read(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    with (folder.root / "huge.bin").open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)

    with pytest.raises(TooLarge):
        await folder.artifact(space, "huge.bin")
    assert await space.read(Artifacts()) == []


async def test_a_text_above_the_limit_is_not_saved(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await _made(folder, space, "a.txt", "one\n")
    fence = await lock(space, row)

    with pytest.raises(TooLarge):
        await folder.save(
            space, await folder.artifact(space, "a.txt"), fence=fence, base=1, data=b"x" * (16 * 2**20 + 1)
        )
    assert (folder.root / "a.txt").read_text() == "one\n"


async def test_ignored_files_are_artifacts_when_asked_for_by_name(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    (folder.root / ".gitignore").write_text("*.log\n")
    (folder.root / "run.log").write_text("line\n")

    assert list(folder.scan()) == [".gitignore"]
    assert folder.ignored("run.log")
    assert (await folder.artifact(space, "run.log")).path == "run.log"


# --- saving -----------------------------------------------------------------------------------------


async def test_the_mode_of_a_file_is_kept(folder: ProjectFolder, space: MemorySpace) -> None:
    file = folder.root / "run.sh"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o750)
    row = await folder.artifact(space, "run.sh")

    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="#!/bin/sh\nexit\n")

    assert stat.S_IMODE(file.stat().st_mode) == 0o750


async def test_a_refused_save_leaves_no_trace(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await folder.artifact(space, (await _file(folder, "a.txt", "one\n")))

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
    await _file(folder, "a.txt", "mine\n")

    with pytest.raises(Exists):
        await folder.create(space, "a.txt", "yours\n")

    assert (folder.root / "a.txt").read_text() == "mine\n"


async def test_nothing_is_saved_when_the_folder_takes_no_file(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await _file(folder, "sub/a.txt", "one\n"))
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
    row = await folder.artifact(space, await _file(folder, "sub/a.txt", "one\n"))
    fence = await lock(space, row.id)
    (folder.root / "sub").chmod(0o500)

    with pytest.raises(StorageFailed):
        await folder.save(space, row, fence=fence, base=1, data="two\n")

    (folder.root / "sub").chmod(0o700)
    assert len(await versions(space, row.id)) == 1


# --- changes from outside ---------------------------------------------------------------------------


async def test_a_change_on_disk_becomes_a_version_by_disk_under_a_lock(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    (folder.root / "a.txt").write_text("from vim\n")

    after = await folder.artifact(space, "a.txt")

    newest = (await versions(space, row.id))[-1]
    assert (after.version, newest.actor, newest.fence) == (2, "disk", 2)
    [state] = await space.read(Locks(row.id))
    assert state.lock.state == "free"


async def test_going_back_to_an_older_text_on_disk_is_a_change_too(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="two\n")
    await _clock_moves_on(folder)
    (folder.root / "a.txt").write_text("one\n")

    after = await folder.artifact(space, "a.txt")

    assert after.version == 3
    assert (folder.root / "a.txt").read_text() == "one\n"


async def test_a_file_that_lags_behind_a_save_is_written_not_taken_for_a_change(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    await _clock_moves_on(folder)
    fence = await lock(space, row.id)
    await space.execute(SaveArtifact(artifact=row.id, fence=fence, base=1, text="two\n"))

    after = await folder.artifact(space, "a.txt")

    assert after.version == 2
    assert (folder.root / "a.txt").read_text() == "two\n"


async def test_a_writer_that_died_before_its_rename_is_finished(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
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
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
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
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    (folder.root / "a.txt").write_text("from vim\n")
    await space.execute(ReleaseLock(artifact=row.id, fence=fence))

    after = await folder.artifact(space, "a.txt")

    assert await space.read(Content(row.id)) == b"from vim\n"
    assert after.version == 2


async def test_saving_what_stands_on_disk_already_is_no_conflict(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    (folder.root / "a.txt").write_text("edited in place\n")

    saved = await folder.save(space, row, fence=fence, base=1, data="edited in place\n")

    assert saved.version == 2


async def test_a_vanished_file_is_told_and_comes_back_with_the_next_save(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    (folder.root / "a.txt").unlink()

    assert (await folder.artifact(space, "a.txt")) == row
    assert folder.state(row) == "missing"
    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="two\n")

    assert (folder.root / "a.txt").read_text() == "two\n"


async def test_the_state_of_a_file_is_told(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    assert folder.state(row) == "same"

    (folder.root / "a.txt").write_text("two\n")

    assert folder.state(row) == "changed"


async def test_a_lapsed_lock_does_not_keep_a_change_out(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    await space.execute(AcquireLock(artifact=row.id, ttl_ms=500))
    (folder.root / "a.txt").write_text("from vim\n")
    await asyncio.sleep(0.6)

    assert (await folder.artifact(space, "a.txt")).version == 2


# --- versions made elsewhere ------------------------------------------------------------------------


async def test_writing_out_brings_the_file_to_the_newest_version(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    await space.execute(SaveArtifact(artifact=row.id, fence=fence, base=1, text="two\n"))

    await folder.write_out(space, row)

    assert (folder.root / "a.txt").read_text() == "two\n"


async def test_writing_out_does_not_overwrite_a_change(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    await space.execute(SaveArtifact(artifact=row.id, fence=fence, base=1, text="two\n"))
    (folder.root / "a.txt").write_text("from vim\n")

    with pytest.raises(Conflict):
        await folder.write_out(space, row)

    assert (folder.root / "a.txt").read_text() == "from vim\n"


async def test_restore_move_and_delete_follow_on_disk(folder: ProjectFolder, space: MemorySpace) -> None:
    row = await folder.artifact(space, await _file(folder, "a.sh", "one\n"))
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
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    await _file(folder, "b.txt", "other\n")
    fence = await lock(space, row.id)

    with pytest.raises(Exists):
        await folder.move(space, row, "b.txt", fence=fence, base=1)

    assert (folder.root / "b.txt").read_text() == "other\n"


async def test_deleting_does_not_take_an_unseen_change_with_it(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    (folder.root / "a.txt").write_text("from vim\n")

    with pytest.raises(Conflict):
        await folder.delete(space, row, fence=fence, base=1)

    assert (folder.root / "a.txt").read_text() == "from vim\n"


async def test_many_tasks_touching_one_new_file_make_one_artifact(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    await _file(folder, "a.txt", "one\n")

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
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
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
    row = await folder.artifact(space, await _file(folder, "a.txt", "one\n"))
    fence = await lock(space, row.id)
    await space.acting_as(Actor("bob")).execute(ForceLock(artifact=row.id, reason="needed", take=True))

    with pytest.raises(Fenced):
        await folder.save(space, row, fence=fence, base=1, data="two\n")

    assert (folder.root / "a.txt").read_text() == "one\n"


# --- the workspace's own folder ---------------------------------------------------------------------


def test_the_workspace_ignores_itself_but_for_what_is_shared(root: Path) -> None:
    import subprocess

    subprocess.run(["git", "init", "-q", root], check=True)
    folder = ProjectFolder.open(root)
    (folder.dot_dir / "agents").mkdir()
    (folder.dot_dir / "agents" / "edwin.md").write_text("x")
    (folder.dot_dir / "config.toml").write_text("")
    folder.database.write_bytes(b"")

    status = subprocess.run(
        ["git", "-C", root, "status", "--porcelain", "-uall"], check=True, capture_output=True, text=True
    )

    assert status.stdout.split() == ["??", ".flowide/agents/edwin.md", "??", ".flowide/config.toml"]


def test_a_workspace_that_leads_elsewhere_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / ".flowide").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(BadInput):
        ProjectFolder.open(root)


@pytest.mark.parametrize("path", ["missing", "file.txt", "nul\0byte"])
def test_only_a_folder_is_a_project(tmp_path: Path, path: str) -> None:
    (tmp_path / "file.txt").write_text("")

    with pytest.raises(BadInput):
        ProjectFolder.open(f"{tmp_path}/{path}")


async def _file(folder: ProjectFolder, path: str, text: str) -> str:
    file = folder.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return path


async def _made(folder: ProjectFolder, space: MemorySpace, path: str, text: str) -> str:
    return (await folder.artifact(space, await _file(folder, path, text))).id


async def _clock_moves_on(folder: ProjectFolder) -> None:
    """Until a file made now is later than everything before, on the disk's own coarse clock."""
    probe = folder.dot_dir / "probe"
    before = time.time_ns() + 2_000_000
    while True:
        probe.write_bytes(b"")
        if probe.stat().st_ctime_ns > before:
            probe.unlink()
            return
        await asyncio.sleep(0.002)
