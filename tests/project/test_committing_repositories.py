"""Versions go into repositories of every kind as git itself would put them there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from flowide.errors import BadInput, Conflict, FlowError
from flowide.project.committing import commit_version
from flowide.project.folder import ProjectFolder
from flowide.project.git_command import GitFailed
from flowide.testing import MemorySpace
from tests.project.conftest import committed, saved
from tests.project.git_repository import GitRepository


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
