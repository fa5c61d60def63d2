"""Versions go into git, and nothing else of the user's changes."""

from __future__ import annotations

import errno
import os

import pytest

from flowide.errors import NotFound, Unavailable
from flowide.project.answering import answer
from flowide.project.committing import commit_version
from flowide.project.folder import ProjectFolder
from flowide.space.queries import Commits, Gates, History
from flowide.testing import MemorySpace
from tests.project.conftest import committed, lock, saved
from tests.project.git_repository import GitRepository


@pytest.fixture
def auto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWIDE_GIT_COMMIT", "auto")


# --- when ------------------------------------------------------------------------------------------


async def test_nothing_is_committed_unless_it_was_asked_for(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    before = git("rev-parse", "HEAD")

    await saved(folder, space, "a.txt", "two\n")

    assert git("rev-parse", "HEAD") == before
    assert git("status", "--porcelain") == " M a.txt\n"


async def test_every_save_is_a_commit_when_it_is_automatic(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, auto: None
) -> None:
    row = await saved(folder, space, "a.txt", "two\n", "Say two")

    [commit] = await space.read(Commits(row.id))
    assert commit.commit == git("rev-parse", "main").strip()
    assert (commit.version, commit.ref) == (2, "refs/heads/main")
    assert git("show", "HEAD:a.txt") == "two\n"
    assert git("status", "--porcelain") == ""


async def test_created_moved_deleted_and_restored_follow_in_git(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, auto: None
) -> None:
    made = await folder.create(space, "docs/n.md", "# N\n")
    row = await folder.artifact(space, "docs/n.md")
    assert "docs/n.md" in git.files()

    await folder.move(space, row, "docs/m.md", fence=await lock(space, made.artifact), base=1)
    assert "docs/m.md" in git.files() and "docs/n.md" not in git.files()
    assert git.show("%s") == "Move docs/n.md to docs/m.md"

    await folder.delete(space, row, fence=await lock(space, made.artifact), base=2)
    assert "docs/m.md" not in git.files()

    await folder.restore(space, row, fence=await lock(space, made.artifact), base=3, version=1)
    assert "docs/m.md" in git.files()
    assert git("status", "--porcelain") == ""
    assert [each.version for each in await space.read(Commits(made.artifact))] == [1, 2, 3, 4]


async def test_a_change_by_another_program_is_left_to_its_author(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, auto: None
) -> None:
    row = await folder.artifact(space, "a.txt")
    before = git("rev-parse", "HEAD")
    (folder.root / "a.txt").write_text("from vim\n")

    await folder.artifact(space, "a.txt")

    assert (await space.read(History(row.id)))[-1].version == 2
    assert git("rev-parse", "HEAD") == before


async def test_a_version_is_committed_when_the_answer_is_yes(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWIDE_GIT_COMMIT", "ask")
    row = await saved(folder, space, "a.txt", "two\n")
    await saved(folder, space, "a.txt", "three\n")
    assert git("show", "HEAD:a.txt") == "one\n"
    [gate] = await space.read(Gates())
    assert "version 3 of a.txt to main" in gate.question

    await answer(folder, space, gate, "commit")

    assert git("show", "HEAD:a.txt") == "three\n"
    assert [each.version for each in await space.read(Commits(row.id))] == [3]
    assert [each.by for each in await space.read(Gates(status=None))] == ["ana", "disk"]


async def test_nothing_is_committed_when_the_answer_is_no(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWIDE_GIT_COMMIT", "ask")
    await saved(folder, space, "a.txt", "two\n")
    [gate] = await space.read(Gates())

    await answer(folder, space, gate, "skip")

    assert git("show", "HEAD:a.txt") == "one\n"
    assert await space.read(Gates()) == []


async def test_a_save_stands_when_git_refuses_and_why_is_told_once(
    folder: ProjectFolder, space: MemorySpace, auto: None
) -> None:
    told: list[str] = []
    folder.tell = told.append
    (folder.root / "a.txt").write_text("one\n")

    row = await saved(folder, space, "a.txt", "two\n")
    row = await saved(folder, space, "a.txt", "three\n")

    assert row.version == 3
    assert len(told) == 1
    assert "git init" in told[0]


async def test_without_git_everything_but_committing_works(
    folder: ProjectFolder, space: MemorySpace, auto: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    folder.tell = told.append
    (folder.root / "a.txt").write_text("one\n")
    monkeypatch.setenv("PATH", str(folder.root))

    row = await saved(folder, space, "a.txt", "two\n")

    assert row.version == 2
    assert "git is not installed" in told[0]
    with pytest.raises(Unavailable):
        await commit_version(folder, space, row)


async def test_a_save_stands_when_there_is_no_room_for_the_commit(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    folder.tell = told.append
    row = await folder.artifact(space, "a.txt")
    fence = await lock(space, row.id)
    monkeypatch.setenv("FLOWIDE_GIT_COMMIT", "auto")
    monkeypatch.setattr("flowide.project.repository.tempfile.TemporaryDirectory", _no_room)

    made = await folder.save(space, row, fence=fence, base=1, data="two\n")

    assert made.version == 2
    assert "No space left" in told[0]
    assert git("status", "--porcelain") == " M a.txt\n"


def _no_room(**where: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_a_wrong_setting_does_not_undo_a_save(folder: ProjectFolder, space: MemorySpace) -> None:
    told: list[str] = []
    folder.tell = told.append
    (folder.dot_dir / "config.toml").write_text('[git]\ncommit = "sometimes"\n')
    (folder.root / "a.txt").write_text("one\n")

    assert (await saved(folder, space, "a.txt", "two\n")).version == 2
    assert "[git] commit" in told[0]


# --- again and again -------------------------------------------------------------------------------


async def test_what_git_holds_already_is_not_committed_again(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    row = await saved(folder, space, "a.txt", "two\n")
    await commit_version(folder, space, row)
    head = git("rev-parse", "HEAD")

    assert await commit_version(folder, space, row) is None
    assert git("rev-parse", "HEAD") == head
    [_] = await space.read(Commits(row.id))


async def test_a_version_that_was_committed_by_hand_is_known_by_that_commit(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    row = await saved(folder, space, "a.txt", "two\n")
    by_hand = git.commit()
    git.write(b_dot_txt="later\n")
    git.commit()

    assert await commit_version(folder, space, row) is None

    [commit] = await space.read(Commits(row.id))
    assert commit.commit == by_hand


async def test_the_index_knows_the_file_so_that_plumbing_sees_no_change(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    await committed(folder, space, "a.txt", "two\n")

    assert git("diff-files", "--name-only") == ""


async def test_an_older_version_does_not_undo_a_newer_commit(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    await saved(folder, space, "a.txt", "two\n")
    row = await saved(folder, space, "a.txt", "three\n")
    await commit_version(folder, space, row, 3)

    assert await commit_version(folder, space, row, 2) is None
    assert git("show", "HEAD:a.txt") == "three\n"


async def test_a_version_that_is_not_there_is_not_committed(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    row = await folder.artifact(space, "a.txt")

    with pytest.raises(NotFound):
        await commit_version(folder, space, row, 9)


async def test_nothing_is_left_in_the_workspace(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    await committed(folder, space, "a.txt", "two\n")

    assert not list(folder.dot_dir.glob("git-*"))
    assert not list((folder.root / ".git").glob("*.lock"))
