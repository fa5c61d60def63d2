"""A commit touches nothing that the user or another git command has under way."""

from __future__ import annotations

import asyncio
import os

import pytest

from flowide.project.committing import commit_version
from flowide.project.folder import ProjectFolder
from flowide.project.git_command import GitFailed
from flowide.space.queries import Commits
from flowide.testing import MemorySpace
from tests.project.conftest import committed, saved
from tests.project.git_repository import GitRepository


async def test_staged_unstaged_and_new_files_of_the_user_stay_as_they_are_and_no_hook_runs(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    git.write(b_dot_txt="b staged\n")
    git("add", "b.txt")
    git.write(b_dot_txt="b staged, then changed\n", c_dot_txt="c changed\n", new_dot_txt="new\n")
    git("rm", "-q", "--cached", "sub/d.txt")
    git.write(intent_dot_txt="soon\n")
    git("add", "-N", "intent.txt")
    row = await saved(folder, space, "a.txt", "two\n")
    trace = git.trap_hooks()
    before = [git("status", "--porcelain"), git("diff", "--cached"), git("diff"), git("ls-files", "-s")]
    trace.unlink(missing_ok=True)  # what git itself ran for these questions

    done = await commit_version(folder, space, row)

    assert not trace.exists()
    after = [git("status", "--porcelain"), git("diff", "--cached"), git("diff"), git("ls-files", "-s")]
    old, new = git("rev-parse", "HEAD~:a.txt").strip(), git("rev-parse", "HEAD:a.txt").strip()
    assert before[0].replace(" M a.txt\n", "") == after[0]
    assert after[1] == before[1]
    assert "a.txt" not in after[2]
    assert after[3] == before[3].replace(old, new)
    assert done is not None and done.left_staged == []
    assert set(git("diff", "--name-only", "HEAD~", "HEAD").split()) == {"a.txt"}


async def test_what_the_user_staged_at_the_very_path_is_left_and_told(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    row = await saved(folder, space, "a.txt", "two\n")
    git.write(a_dot_txt="my own staging\n")
    git("add", "a.txt")
    git.write(a_dot_txt="two\n")

    done = await commit_version(folder, space, row)

    assert done is not None and done.left_staged == ["a.txt"]
    assert git("show", ":a.txt") == "my own staging\n"
    assert git("show", "HEAD:a.txt") == "two\n"


async def test_an_index_that_another_git_command_uses_is_waited_for(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    row = await saved(folder, space, "a.txt", "two\n")
    busy = folder.root / ".git/index.lock"
    busy.write_text("")
    committing = asyncio.create_task(commit_version(folder, space, row))
    await asyncio.sleep(0.2)
    busy.unlink()

    assert await committing is not None
    assert git("status", "--porcelain") == ""


async def test_an_index_that_stays_in_use_leaves_all_as_it_was(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowide.project.repository.TRIES", 2)
    row = await saved(folder, space, "a.txt", "two\n")
    before = git("rev-parse", "HEAD")
    (folder.root / ".git/index.lock").write_text("")

    with pytest.raises(GitFailed):
        await commit_version(folder, space, row)

    assert git("rev-parse", "HEAD") == before
    assert await space.read(Commits(row.id)) == []


async def test_many_processes_committing_at_once_lose_no_commit(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    rows = [await saved(folder, space, path, f"{path} new\n") for path in ("a.txt", "b.txt", "c.txt")]
    once = "git commit -q --allow-empty -m hand$i 2>/dev/null"
    script = f"for i in 1 2 3 4 5 6; do for try in $(seq 50); do {once} && break; sleep 0.05; done; done"
    by_hand = await asyncio.create_subprocess_exec(
        "sh", "-c", script, cwd=folder.root, env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
    )

    await asyncio.gather(*(commit_version(folder, space, row) for row in rows))

    assert await by_hand.wait() == 0
    subjects = git("log", "--format=%s").split("\n")
    assert {f"hand{number}" for number in range(1, 7)} <= set(subjects)
    # A commit by hand may take along what stands in the index: then git holds the version, under another subject.
    assert [git("show", f"HEAD:{row.path}").strip() for row in rows] == [f"{row.path} new" for row in rows]
    assert git("status", "--porcelain") == ""
    assert git("fsck", "--strict", "--no-dangling") == ""


async def test_the_lock_of_a_process_that_was_killed_stops_no_commit(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    gone = await asyncio.create_subprocess_exec("true")
    await gone.wait()
    lock = folder.root / ".git" / "index.lock"
    lock.write_text(f"flowide {gone.pid}")

    await committed(folder, space, "a.txt", "two\n", "Say two")

    assert git("show", "HEAD:a.txt").strip() == "two"
    assert not lock.exists()


async def test_the_lock_of_another_git_command_is_waited_for_and_never_removed(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    lock = folder.root / ".git" / "index.lock"
    lock.write_bytes(b"DIRC")
    row = await saved(folder, space, "a.txt", "two\n")

    waiting = asyncio.create_task(commit_version(folder, space, row))
    await asyncio.sleep(0.2)
    before = git("rev-parse", "HEAD")
    assert lock.read_bytes() == b"DIRC"
    lock.unlink()
    await waiting

    assert git("rev-parse", "HEAD~1") == before
