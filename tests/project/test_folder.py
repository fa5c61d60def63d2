"""Files are artifacts, and neither is overwritten by the other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowide.domain.actors import Actor
from flowide.errors import BadInput, BadPath, Exists, NotAllowed, NotFound, TooLarge
from flowide.project.folder import ProjectFolder
from flowide.space.queries import Artifacts, Content
from flowide.testing import MemorySpace
from tests.project.conftest import lock, versions, write_file

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


# --- first touch -----------------------------------------------------------------------------------


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
    row = await made_from(folder, space, "a.txt", "one\n")
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


# --- the workspace's own folder --------------------------------------------------------------------


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


async def made_from(folder: ProjectFolder, space: MemorySpace, path: str, text: str) -> str:
    return (await folder.artifact(space, await write_file(folder, path, text))).id
