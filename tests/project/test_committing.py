"""Versions go into git, and nothing else of the user's changes."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import AddVariation, OpenVariationSet
from flowide.domain.rows import Artifact
from flowide.errors import BadInput, Conflict, FlowError, NotFound, Unavailable
from flowide.project.answering import answer
from flowide.project.committing import commit_version
from flowide.project.folder import ProjectFolder
from flowide.project.git_command import GitFailed
from flowide.project.git_model import Committed
from flowide.space.queries import Commits, Gates, History
from flowide.testing import MemorySpace
from tests.project.conftest import lock
from tests.project.git_repository import GitRepository


@pytest.fixture
def git(root: Path) -> GitRepository:
    repository = GitRepository.made(root)
    repository.write(a_dot_txt="one\n", b_dot_txt="b\n", c_dot_txt="c\n", sub__d_dot_txt="d\n")
    repository.commit()
    return repository


@pytest.fixture
def auto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWIDE_GIT_COMMIT", "auto")


async def saved(
    folder: ProjectFolder, space: MemorySpace, path: str, data: str | bytes, note: str = ""
) -> Artifact:
    """A new version of a file."""
    row = await folder.artifact(space, path)
    await folder.save(space, row, fence=await lock(space, row.id), base=row.version, data=data, note=note)
    return await folder.artifact(space, path)


async def committed(
    folder: ProjectFolder, space: MemorySpace, path: str, data: str | bytes, note: str = ""
) -> Committed:
    """A new version of a file, in git."""
    done = await commit_version(folder, space, await saved(folder, space, path, data, note))
    assert done is not None
    return done


# --- when --------------------------------------------------------------------------------------------


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


# --- what stays as it was ----------------------------------------------------------------------------


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


# --- who and what -------------------------------------------------------------------------------------


async def test_the_author_is_who_wrote_it(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    await committed(folder, space, "a.txt", "two\n", "Say two\n\nBecause one was not enough.")

    assert git.show("%an <%ae>|%cn <%ce>") == "Ana Example <ana@example.org>|Ana Example <ana@example.org>"
    assert git.show("%s") == "Say two"
    assert "Because one was not enough.\n\nFlowide-Version: " in git.show("%B")


async def test_an_agent_that_wrote_it_is_its_author_and_its_model_is_named(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    row = await folder.artifact(space, "a.txt")
    await space.execute(OpenVariationSet(set="s1", title="a.txt", path="a.txt", artifact=row.id, base=1))
    await space.execute(
        AddVariation(set="s1", text="two\n", author="edwin", model="tiny-1", run="r-7", step="vary#1")
    )
    fence = await lock(space, row.id)
    await folder.accept(space, row, set="s1", number=1, fence=fence, base=1, note="The shorter one")

    await commit_version(folder, space, await folder.artifact(space, "a.txt"))

    assert git.show("%an|%cn") == "edwin|Ana Example"
    trailers = git.show("%(trailers:only,unfold)").split("\n")
    assert "Assisted-by: edwin (tiny-1)" in trailers
    assert "Co-authored-by: Ana Example <ana@example.org>" in trailers
    assert f"Flowide-Version: {row.id}@2" in trailers
    assert "Flowide-Run: r-7" in trailers


async def test_a_text_that_looks_like_options_or_trailers_is_only_text(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    note = "--amend\n\n\x1b[31m-F/etc/passwd\0\n\nCo-authored-by: Mallory <m@evil.example>\r\n# gone?"
    await committed(folder, space, "a.txt", "two\n", note)

    message = git.show("%B")
    assert git.show("%s") == "--amend"
    assert "\x1b" not in message
    assert "# gone?" in message
    assert "Mallory" not in git.show("%(trailers)")


async def test_somebody_else_is_named_by_handle(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    bob = space.acting_as(Actor("bob"))
    row = await folder.artifact(bob, "a.txt")
    await folder.save(bob, row, fence=await lock(bob, row.id), base=1, data="two\n")  # type: ignore[arg-type]

    await commit_version(folder, space, await folder.artifact(space, "a.txt"))

    assert git.show("%an <%ae>|%cn") == "bob <bob@flowide.invalid>|Ana Example"


async def test_without_a_name_the_handle_is_enough(folder: ProjectFolder, space: MemorySpace) -> None:
    git = GitRepository.made(folder.root, named=False)
    (folder.root / "a.txt").write_text("one\n")

    await committed(folder, space, "a.txt", "two\n")

    assert git.show("%an <%ae>") == "ana <ana@flowide.invalid>"


# --- repositories of every kind ---------------------------------------------------------------------


async def test_a_branch_without_commits_gets_its_first(folder: ProjectFolder, space: MemorySpace) -> None:
    git = GitRepository.made(folder.root)
    (folder.root / "a.txt").write_text("one\n")

    done = await committed(folder, space, "a.txt", "two\n")

    assert (done.ref, git("rev-list", "--count", "HEAD").strip()) == ("refs/heads/main", "1")
    assert git("ls-files").split() == ["a.txt"]


async def test_a_detached_head_moves_on_alone(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    git("checkout", "-q", "--detach")
    main = git("rev-parse", "main")

    done = await committed(folder, space, "a.txt", "two\n")

    assert done.ref == "HEAD"
    assert git("rev-parse", "main") == main
    assert git("rev-parse", "HEAD").strip() == done.commit


async def test_a_linked_work_tree_commits_to_its_own_branch(
    git: GitRepository, space: MemorySpace, tmp_path: Path
) -> None:
    git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    main = git("rev-parse", "main")
    folder = ProjectFolder.open(tmp_path / "linked")

    done = await committed(folder, space, "a.txt", "two\n")

    assert done.ref == "refs/heads/side"
    assert git("rev-parse", "main") == main
    assert GitRepository(tmp_path / "linked")("status", "--porcelain", "-uno") == ""


async def test_a_file_of_a_submodule_goes_into_the_submodule(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, tmp_path: Path
) -> None:
    other = GitRepository.made(tmp_path / "other")
    other.write(lib_dot_txt="lib\n")
    other.commit()
    git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.root), "vendor")
    git.commit("with a submodule")
    head = git("rev-parse", "HEAD")

    await committed(folder, space, "vendor/lib.txt", "new\n")

    assert git("rev-parse", "HEAD") == head
    assert GitRepository(folder.root / "vendor")("show", "HEAD:lib.txt") == "new\n"


async def test_a_submodule_that_is_not_checked_out_is_not_replaced(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, tmp_path: Path
) -> None:
    other = GitRepository.made(tmp_path / "other")
    other.write(lib_dot_txt="lib\n")
    other.commit()
    git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.root), "vendor")
    git.commit("with a submodule")
    git("submodule", "deinit", "-q", "-f", "vendor")
    before = git.files()
    await folder.create(space, "vendor/new.txt", "new\n")

    with pytest.raises(BadInput, match="submodule"):
        await commit_version(folder, space, await folder.artifact(space, "vendor/new.txt"))

    assert git.files() == before


async def test_a_file_that_became_a_folder_is_one_in_git_too(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    (folder.root / "a.txt").unlink()
    await folder.create(space, "a.txt/inside.txt", "in\n")

    await commit_version(folder, space, await folder.artifact(space, "a.txt/inside.txt"))

    assert "a.txt" not in git.files()
    assert git("show", "HEAD:a.txt/inside.txt") == "in\n"
    assert git("status", "--porcelain") == ""


async def test_a_project_below_the_top_of_its_repository_commits_its_own_path(
    git: GitRepository, space: MemorySpace
) -> None:
    folder = ProjectFolder.open(git.root / "sub")

    await committed(folder, space, "d.txt", "new\n")

    assert git("show", "HEAD:sub/d.txt") == "new\n"


async def test_a_bare_repository_is_refused(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    row = await saved(folder, space, "a.txt", "two\n")
    git("config", "core.bare", "true")

    with pytest.raises(BadInput, match="work tree"):
        await commit_version(folder, space, row)


async def test_a_branch_of_its_own_takes_the_commits_and_head_stays(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWIDE_GIT_BRANCH", "flowide")
    before = [git("rev-parse", "HEAD"), git("ls-files", "-s")]

    first = await committed(folder, space, "a.txt", "two\n")
    await committed(folder, space, "b.txt", "b new\n")

    assert first.ref == "refs/heads/flowide"
    assert [git("rev-parse", "HEAD"), git("ls-files", "-s")] == before
    assert git("show", "flowide:a.txt") == "two\n"
    assert git("rev-list", "--count", "main..flowide").strip() == "2"


async def test_a_branch_that_is_checked_out_elsewhere_is_not_moved(
    folder: ProjectFolder,
    space: MemorySpace,
    git: GitRepository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    git("worktree", "add", "-q", "-b", "flowide", str(tmp_path / "linked"))
    monkeypatch.setenv("FLOWIDE_GIT_BRANCH", "flowide")
    row = await saved(folder, space, "a.txt", "two\n")

    with pytest.raises(BadInput, match="another work tree"):
        await commit_version(folder, space, row)


@pytest.mark.parametrize("branch", ["--help", "a..b", "x/", "HEAD^{commit}", "a b"])
async def test_what_is_no_branch_name_is_refused(
    folder: ProjectFolder,
    space: MemorySpace,
    git: GitRepository,
    monkeypatch: pytest.MonkeyPatch,
    branch: str,
) -> None:
    monkeypatch.setenv("FLOWIDE_GIT_BRANCH", branch)
    row = await saved(folder, space, "a.txt", "two\n")
    before = git("for-each-ref")

    with pytest.raises(FlowError):
        await commit_version(folder, space, row)

    assert git("for-each-ref") == before


@pytest.mark.parametrize("how", ["merge", "cherry-pick", "rebase"])
async def test_while_a_merge_is_under_way_nothing_is_committed(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, how: str
) -> None:
    row = await saved(folder, space, "sub/d.txt", "new\n")
    git("stash", "-q")
    git("checkout", "-q", "-b", "side")
    git.write(a_dot_txt="side\n")
    git.commit()
    git("checkout", "-q", "main")
    git.write(a_dot_txt="main\n")
    git.commit()
    git(how, "side", ok=False)
    before = git("rev-parse", "HEAD")

    with pytest.raises(Conflict, match=how):
        await commit_version(folder, space, row)

    assert git("rev-parse", "HEAD") == before


async def test_an_ignored_file_is_not_committed_but_a_tracked_one_is(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    git.write(_dot_gitignore="*.log\na.txt\n", run_dot_log="line\n")

    with pytest.raises(BadInput, match="ignored"):
        await committed(folder, space, "run.log", "two\n")
    await committed(folder, space, "a.txt", "two\n")


async def test_a_sparse_checkout_keeps_what_it_does_not_show(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    git.write(far__away_dot_txt="far\n")
    git.commit()
    git("sparse-checkout", "set", "--cone", "--sparse-index", "sub")
    before = git.files()

    await committed(folder, space, "a.txt", "two\n")

    assert git.files() == before | {"a.txt": git("rev-parse", "HEAD:a.txt").strip()}
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize("setting", ["true", "input", "false"])
@pytest.mark.parametrize("attributes", ["", "*.txt text\n", "*.txt -text\n", "*.txt text eol=crlf\n"])
@pytest.mark.parametrize("in_git", [b"a\nb\n", b"a\r\nb\r\n"])
async def test_line_endings_are_stored_as_git_add_would(
    folder: ProjectFolder,
    space: MemorySpace,
    git: GitRepository,
    setting: str,
    attributes: str,
    in_git: bytes,
) -> None:
    git.write(e_dot_txt=in_git)
    git.commit()
    git("config", "core.autocrlf", setting)
    git("config", "core.safecrlf", "true")
    git.write(_dot_gitattributes=attributes)

    await committed(folder, space, "e.txt", b"a\r\nb\r\nc\r\n")

    ours = git("rev-parse", "HEAD:e.txt")
    git(
        "update-index",
        "--index-info",
        input=b"100644 " + git("rev-parse", "HEAD~:e.txt").strip().encode() + b"\te.txt\n",
    )
    git("-c", "core.safecrlf=false", "add", "e.txt")
    assert git("rev-parse", ":e.txt") == ours


async def test_filters_of_the_repository_are_applied(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    git("config", "filter.upper.clean", "tr a-z A-Z")
    git.write(_dot_gitattributes="a.txt filter=upper\n")

    await committed(folder, space, "a.txt", "two\n")

    assert git("show", "HEAD:a.txt") == "TWO\n"
    assert (folder.root / "a.txt").read_text() == "two\n"


async def test_modes_are_kept_and_those_of_new_files_taken_over(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    git.write(run_dot_sh="#!/bin/sh\n", new_dot_sh="#!/bin/sh\n")
    (folder.root / "run.sh").chmod(0o755)
    git("add", "run.sh")
    git("-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "run.sh")
    (folder.root / "new.sh").chmod(0o755)

    await committed(folder, space, "run.sh", "#!/bin/sh\nexit\n")
    await committed(folder, space, "new.sh", "#!/bin/sh\nexit\n")

    listed = git("ls-tree", "HEAD", "run.sh", "new.sh")
    assert [line.split()[0] for line in listed.splitlines()] == ["100755", "100755"]


@pytest.mark.parametrize(
    "name", ["-x.txt", "--help", "ä ö.txt", ":(top)a.txt", "*.txt", "[a].txt", "Zoe\u0308.md", "q\"uote'.txt"]
)
async def test_odd_names_are_just_names(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, name: str
) -> None:
    (folder.root / name).write_text("one\n")

    await committed(folder, space, name, "two\n")

    assert set(git("diff", "-z", "--name-only", "HEAD~", "HEAD").split("\0")) == {name, ""}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key without a passphrase."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("needs ssh-keygen")
    made = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(made)], check=True)
    return made


async def test_a_commit_that_must_be_signed_is_signed(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository, key: Path
) -> None:
    for name, value in {
        "gpg.format": "ssh",
        "user.signingkey": f"{key}.pub",
        "commit.gpgsign": "true",
    }.items():
        git("config", name, value)

    await committed(folder, space, "a.txt", "two\n")

    assert "BEGIN SSH SIGNATURE" in git("cat-file", "commit", "HEAD")


async def test_a_commit_that_cannot_be_signed_is_not_made(
    folder: ProjectFolder, space: MemorySpace, git: GitRepository
) -> None:
    git("config", "commit.gpgsign", "true")
    git("config", "gpg.program", "false")
    row = await saved(folder, space, "a.txt", "two\n")
    before = [git("rev-parse", "HEAD"), git("ls-files", "-s")]

    with pytest.raises(GitFailed):
        await commit_version(folder, space, row)

    assert [git("rev-parse", "HEAD"), git("ls-files", "-s")] == before


async def test_variables_of_a_surrounding_git_command_do_not_reach_ours(
    folder: ProjectFolder,
    space: MemorySpace,
    git: GitRepository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = GitRepository.made(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))

    done = await committed(folder, space, "a.txt", "two\n")
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name)

    assert git("rev-parse", "HEAD").strip() == done.commit
    assert not (tmp_path / "index").exists()


async def test_a_repository_with_sha256_names_works(folder: ProjectFolder, space: MemorySpace) -> None:
    GitRepository(folder.root)("init", "-q", "--object-format=sha256")
    (folder.root / "a.txt").write_text("one\n")

    done = await committed(folder, space, "a.txt", "two\n")

    assert len(done.commit) == 64


# --- again and again ---------------------------------------------------------------------------------


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
