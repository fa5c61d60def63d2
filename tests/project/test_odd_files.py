"""Files that are odd or hostile: each behaves, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
from pathlib import Path

import pytest

from flowide.errors import BadInput, BadPath, Exists, StorageFailed
from flowide.project.folder import ProjectFolder
from flowide.space.queries import Artifacts, History
from flowide.testing import MemorySpace
from tests.project.conftest import lock
from tests.project.powerless import flowide

# --- permissions -----------------------------------------------------------------------------------


def test_an_unreadable_file_is_refused_and_left(root: Path) -> None:
    (root / "a.txt").write_text("secret\n")
    (root / "a.txt").chmod(0)

    done = flowide(root, "artifact", "show", "a.txt")

    assert done.returncode == 2
    assert b"cannot be read" in done.stderr and b"Traceback" not in done.stderr


def test_a_listing_goes_on_beside_a_file_that_became_unreadable(root: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (root / name).write_text("one\n")
        assert flowide(root, "artifact", "show", name).returncode == 0
    (root / "a.txt").chmod(0)

    done = flowide(root, "artifact", "list")

    assert done.returncode == 0
    assert b"blocked" in done.stdout and b"same" in done.stdout


def test_a_folder_that_takes_no_file_refuses_before_anything_is_saved(root: Path) -> None:
    (root / "sub").mkdir()
    (root / "sub/a.txt").write_text("one\n")
    assert flowide(root, "lock", "acquire", "sub/a.txt").returncode == 0
    (root / "sub").chmod(0o555)

    done = flowide(root, "save", "sub/a.txt", "--fence", "2", input=b"two\n")

    (root / "sub").chmod(0o755)
    assert done.returncode == 10
    assert (root / "sub/a.txt").read_text() == "one\n"
    assert [file.name for file in (root / "sub").iterdir()] == ["a.txt"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_full_disk_refuses_before_anything_is_saved(root: Path) -> None:
    small = root / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no mounting here")
    try:
        (small / "a.txt").write_text("one\n")
        assert flowide(root, "lock", "acquire", "small/a.txt").returncode == 0
        done = flowide(root, "save", "small/a.txt", "--fence", "2", input=os.urandom(200_000))
        left = {file.name: file.read_bytes() for file in small.iterdir()}
    finally:
        subprocess.run(["umount", str(small)], check=True)

    assert done.returncode == 10, done
    assert left == {"a.txt": b"one\n"}


# --- names -----------------------------------------------------------------------------------------


async def test_names_that_are_no_text_are_passed_over(folder: ProjectFolder, space: MemorySpace) -> None:
    for name in (b"bad\xff.txt", b"\xed\xa0\x80.txt"):
        (Path(os.fsdecode(os.fsencode(folder.root) + b"/" + name))).write_text("x\n")
    (folder.root / "good.txt").write_text("x\n")

    assert list(folder.scan()) == ["good.txt"]
    with pytest.raises(BadPath):
        await folder.artifact(space, os.fsdecode(b"bad\xff.txt"))


async def test_long_paths_work_up_to_the_limit_and_are_refused_above(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    deep = "/".join(["d" * 100] * 10)
    made = await folder.create(space, f"{deep}/a.txt", "one\n")
    row = await folder.artifact(space, f"{deep}/a.txt")
    await folder.save(space, row, fence=await lock(space, made.artifact), base=1, data="two\n")

    assert (folder.root / deep / "a.txt").read_text() == "two\n"
    with pytest.raises(BadPath):
        await folder.create(space, f"{deep}/{'e' * 100}/a.txt", "x")
    with pytest.raises(BadPath):
        await folder.create(space, "n" * 256, "x")


def test_a_tree_deeper_than_any_path_may_be_is_looked_through(folder: ProjectFolder) -> None:
    here = os.open(folder.root, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 100, dir_fd=here)
        deeper = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    (folder.root / "a.txt").write_text("x\n")

    assert list(folder.scan()) == ["a.txt"]
    subprocess.run(["rm", "-rf", folder.root / ("d" * 100)], check=True)


async def test_two_files_that_differ_only_in_case_are_one_artifact_and_one_refusal(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    for name in ("Makefile", "makefile"):
        (folder.root / name).write_text(f"{name}\n")
    if len(list(folder.scan())) == 1:
        pytest.skip("this disk does not tell them apart")
    await folder.artifact(space, "Makefile")

    with pytest.raises(Exists):
        await folder.artifact(space, "makefile")
    with pytest.raises(Exists):
        await folder.create(space, "MAKEFILE", "third\n")
    assert await folder.catch_up(space, {"Makefile", "makefile"}) == []
    assert (folder.root / "makefile").read_text() == "makefile\n"


async def test_a_move_that_only_changes_case_is_a_move(folder: ProjectFolder, space: MemorySpace) -> None:
    made = await folder.create(space, "readme.md", "# R\n")
    row = await folder.artifact(space, "readme.md")

    await folder.move(space, row, "README.md", fence=await lock(space, made.artifact), base=1)

    assert [file.name for file in folder.root.glob("*.md")] == ["README.md"]


# --- what is no file -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["socket", "device", "pipe", "folder", "link to itself"])
async def test_what_is_no_file_is_refused_at_once(
    folder: ProjectFolder, space: MemorySpace, kind: str
) -> None:
    path = folder.root / "thing"
    if kind == "socket":
        import socket

        with socket.socket(socket.AF_UNIX) as listening:
            here = os.open(folder.root, os.O_RDONLY)
            listening.bind(f"/proc/self/fd/{here}/thing")
            os.close(here)
    elif kind == "device":
        if os.geteuid() != 0:
            pytest.skip("only root makes devices")
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero, which never ends
        except PermissionError:
            pytest.skip("no devices here")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("thing")

    with pytest.raises(BadInput):
        async with asyncio.timeout(5):
            await folder.artifact(space, "thing")
    with pytest.raises((BadInput, StorageFailed)):
        await folder.create(space, "thing", "text\n")
    assert await space.read(Artifacts()) == []


async def test_a_file_replaced_by_a_folder_keeps_its_versions_and_the_folder(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    made = await folder.create(space, "a", "one\n")
    row = await folder.artifact(space, "a")
    fence = await lock(space, made.artifact)
    (folder.root / "a").unlink()
    (folder.root / "a").mkdir()
    (folder.root / "a/inside.txt").write_text("inside\n")

    for touch in (
        folder.artifact(space, "a"),
        folder.save(space, row, fence=fence, base=1, data="two\n"),
        folder.delete(space, row, fence=fence, base=1),
    ):
        with pytest.raises(BadInput):
            await touch

    assert (folder.root / "a/inside.txt").read_text() == "inside\n"
    assert (await folder.artifact(space, "a/inside.txt")).version == 1
    [_] = await space.read(History(row.id))


async def test_a_folder_above_swapped_for_a_link_is_not_written_through(
    folder: ProjectFolder, space: MemorySpace, tmp_path: Path
) -> None:
    made = await folder.create(space, "sub/a.txt", "one\n")
    row = await folder.artifact(space, "sub/a.txt")
    fence = await lock(space, made.artifact)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/a.txt").write_text("one\n")
    (folder.root / "sub").rename(folder.root / "old")
    (folder.root / "sub").symlink_to(tmp_path / "outside")

    with pytest.raises(BadInput):
        await folder.save(space, row, fence=fence, base=1, data="two\n")
    with pytest.raises(BadInput):
        await folder.delete(space, row, fence=fence, base=1)

    assert (tmp_path / "outside/a.txt").read_text() == "one\n"
    assert folder.state(row) in {"missing", "blocked"}


async def test_hard_links_are_cut_not_written_through(
    folder: ProjectFolder, space: MemorySpace, tmp_path: Path
) -> None:
    (folder.root / "a.txt").write_text("one\n")
    os.link(folder.root / "a.txt", tmp_path / "other-name")
    row = await folder.artifact(space, "a.txt")

    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="two\n")

    assert (tmp_path / "other-name").read_text() == "one\n"
