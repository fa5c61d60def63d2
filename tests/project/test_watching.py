"""What other programs write is noticed: by a look through all files, and by watching the folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from flowide.domain.rows import Artifact
from flowide.project.catching_up import Change
from flowide.project.conflicts import cards
from flowide.project.folder import ProjectFolder
from flowide.project.watching import News
from flowide.space.queries import Artifacts, Content, FindArtifact, History
from flowide.testing import MemorySpace
from tests.project.conftest import lock
from tests.project.git_repository import GitRepository


async def known(folder: ProjectFolder, space: MemorySpace, **files: str) -> list[Artifact]:
    """Artifacts by file name (with `_` for the dot), old enough for their times to tell."""
    paths = [name.replace("__", "/").replace("_", ".") for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        (folder.root / path).parent.mkdir(parents=True, exist_ok=True)
        (folder.root / path).write_text(text)
    rows = [await folder.artifact(space, path) for path in paths]
    await asyncio.sleep(0.06)
    await folder.catch_up(space)
    return rows


class Watched:
    """The news of a folder, as they come."""

    def __init__(self, news: AsyncIterator[News]) -> None:
        self._news = news

    async def until(self, *wanted: tuple[str, str]) -> list[Change]:
        """All changes until each `(path, what)` was among them."""
        seen: list[Change] = []
        async with asyncio.timeout(30):
            while not set(wanted) <= {(change.path, change.what) for change in seen}:
                seen += (await anext(self._news)).changes
        return seen

    async def files(self) -> News:
        """The next news of files that came or went."""
        async with asyncio.timeout(30):
            while not (news := await anext(self._news)).files:
                pass
        return news


@asynccontextmanager
async def watching(folder: ProjectFolder, space: MemorySpace) -> AsyncIterator[Watched]:
    async with aclosing(folder.watch(space)) as news:  # type: ignore[type-var]
        assert (await anext(news)).watching
        yield Watched(news)


# --- looking through --------------------------------------------------------------------------------


async def test_everything_that_was_changed_meanwhile_is_caught_up_with(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    rows = await known(folder, space, a_txt="a\n", b_txt="b\n", c_txt="c\n", d_txt="d\n")
    (folder.root / "a.txt").write_text("new a\n")
    (folder.root / "c.txt").unlink()
    fence = await lock(space, rows[3].id)
    (folder.root / "d.txt").write_text("new d\n")

    changes = await folder.catch_up(space)

    assert [(each.path, each.what, each.version) for each in changes] == [
        ("a.txt", "version", 2),
        ("d.txt", "conflict", 1),
    ]
    assert (await cards(space))[0].fence == fence


async def test_looking_again_finds_nothing(folder: ProjectFolder, space: MemorySpace) -> None:
    await known(folder, space, a_txt="a\n", b_txt="b\n")
    (folder.root / "a.txt").write_text("new a\n")
    await folder.catch_up(space)
    head = await space.head()

    assert await folder.catch_up(space) == []
    assert await space.head() == head


async def test_an_edit_that_keeps_size_and_modification_time_is_noticed(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    [row] = await known(folder, space, a_txt="one\n")
    file = folder.root / "a.txt"
    before = file.stat()
    file.write_text("two\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)

    assert folder.state(row) == "changed"
    assert [each.path for each in await folder.catch_up(space)] == ["a.txt"]
    assert await space.read(Content(row.id)) == b"two\n"


async def test_files_that_only_got_new_times_are_no_change(folder: ProjectFolder, space: MemorySpace) -> None:
    [row] = await known(folder, space, a_txt="one\n")
    (folder.root / "a.txt").touch()

    assert await folder.catch_up(space) == []
    assert folder.state(row) == "same"


async def test_a_file_that_became_something_else_is_told_and_left(
    folder: ProjectFolder, space: MemorySpace, tmp_path: Path
) -> None:
    await known(folder, space, a_txt="a\n", b_txt="b\n", c_txt="c\n", d_txt="d\n")
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        (folder.root / name).unlink()
    (folder.root / "a.txt").mkdir()
    os.mkfifo(folder.root / "b.txt")
    (tmp_path / "secret").write_text("secret")
    (folder.root / "c.txt").symlink_to(tmp_path / "secret")
    with (folder.root / "d.txt").open("wb") as huge:
        huge.truncate(17 * 2**20)

    changes = await folder.catch_up(space)

    assert [(each.path, each.what) for each in changes] == [(f"{name}.txt", "blocked") for name in "abcd"]
    rows = await space.read(Artifacts())
    assert [folder.state(row) for row in rows] == ["blocked"] * 4
    assert {row.version for row in rows} == {1}


async def test_one_conflict_among_many_changes_holds_up_none(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    rows = await known(folder, space, **{f"f{at}_txt": f"{at}\n" for at in range(70)})
    await lock(space, rows[20].id)
    for row in rows:
        (folder.root / row.path).write_text("new\n")

    changes = await folder.catch_up(space)

    assert len(changes) == 70
    assert [each.path for each in changes if each.what == "conflict"] == [rows[20].path]
    assert sum(row.version == 2 for row in await space.read(Artifacts())) == 69


# --- watching ---------------------------------------------------------------------------------------


async def test_a_file_written_in_place_becomes_a_version(folder: ProjectFolder, space: MemorySpace) -> None:
    [row] = await known(folder, space, a_txt="one\n")
    async with watching(folder, space) as watched:
        (folder.root / "a.txt").write_text("two\n")

        await watched.until(("a.txt", "version"))

    newest = (await space.read(History(row.id)))[-1]
    assert (newest.actor, newest.version) == ("disk", 2)


async def test_an_editor_that_renames_over_the_file_is_noticed(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    [row] = await known(folder, space, a_txt="one\n")
    async with watching(folder, space) as watched:
        (folder.root / ".a.txt.swp").write_text("two\n")
        (folder.root / "a.txt").rename(folder.root / "a.txt~")
        (folder.root / ".a.txt.swp").rename(folder.root / "a.txt")

        await watched.until(("a.txt", "version"))

    assert await space.read(Content(row.id)) == b"two\n"


async def test_a_file_that_is_written_slowly_is_one_version(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    [row] = await known(folder, space, a_txt="one\n")
    async with watching(folder, space) as watched:
        with (folder.root / "a.txt").open("w") as file:
            for at in range(8):
                file.write(f"line {at}\n" * 100)
                file.flush()
                await asyncio.sleep(0.01)

        await watched.until(("a.txt", "version"))

    assert len((await space.read(Content(row.id))).splitlines()) == 800
    [_, _] = await space.read(History(row.id))


async def test_a_change_under_a_lock_is_told_as_a_conflict(folder: ProjectFolder, space: MemorySpace) -> None:
    [row] = await known(folder, space, a_txt="one\n")
    await lock(space, row.id)
    async with watching(folder, space) as watched:
        (folder.root / "a.txt").write_text("two\n")

        changes = await watched.until(("a.txt", "conflict"))

    assert changes[-1].conflict == (await cards(space))[0].id
    assert (folder.root / "a.txt").read_text() == "two\n"


async def test_a_branch_switch_brings_all_its_files(folder: ProjectFolder, space: MemorySpace) -> None:
    git = GitRepository.made(folder.root)
    rows = await known(folder, space, **{f"src__f{at}_py": f"{at}\n" for at in range(60)})
    git.commit("main")
    git("checkout", "-q", "-b", "side")
    for row in rows:
        (folder.root / row.path).write_text("side\n")
    git.commit("side")
    git("checkout", "-q", "main")
    await folder.catch_up(space)
    before = {row.path: row.version for row in await space.read(Artifacts())}
    async with watching(folder, space) as watched:
        git("checkout", "-q", "side")

        await watched.until(*((row.path, "version") for row in rows))

    grown = [row.version - before[row.path] for row in await space.read(Artifacts())]
    assert grown == [1] * 60


async def test_folders_that_come_later_are_watched_too(folder: ProjectFolder, space: MemorySpace) -> None:
    async with watching(folder, space) as watched:
        (folder.root / "new/deep").mkdir(parents=True)
        await watched.files()
        (folder.root / "new/deep/a.txt").write_text("one\n")
        row = await folder.artifact(space, "new/deep/a.txt")
        (folder.root / "new/deep/a.txt").write_text("two\n")

        await watched.until(("new/deep/a.txt", "version"))

    assert (await space.read(FindArtifact(row.id))).version == 2


async def test_a_vanished_file_and_a_removed_folder_are_told(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    await known(folder, space, a_txt="one\n", sub__b_txt="two\n")
    async with watching(folder, space) as watched:
        (folder.root / "a.txt").unlink()
        await watched.until(("a.txt", "missing"))
        shutil.rmtree(folder.root / "sub")
        await watched.until(("sub/b.txt", "missing"))
        (folder.root / "a.txt").write_text("back again\n")

        await watched.until(("a.txt", "version"))

    assert {row.deleted for row in await space.read(Artifacts(deleted=True))} == {False}


async def test_what_is_ignored_or_behind_a_link_is_not_watched(
    folder: ProjectFolder, space: MemorySpace, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (folder.root / "link").symlink_to(tmp_path / "outside")
    (folder.root / ".gitignore").write_text("build/\n*.log\n")
    (folder.root / "build").mkdir()
    await known(folder, space, a_txt="one\n")
    async with watching(folder, space) as watched:
        for file in (folder.root / "build/x", tmp_path / "outside/y", folder.root / "link/z"):
            file.write_text("noise\n")
        (folder.root / "a.txt").write_text("two\n")

        changes = await watched.until(("a.txt", "version"))

    assert {change.path for change in changes} == {"a.txt"}


async def test_our_own_saves_are_no_news(folder: ProjectFolder, space: MemorySpace) -> None:
    [row] = await known(folder, space, a_txt="one\n")
    async with watching(folder, space) as watched:
        await folder.save(space, row, fence=await lock(space, row.id), base=1, data="mine\n")
        await asyncio.sleep(0.3)
        (folder.root / "a.txt").write_text("theirs\n")

        changes = await watched.until(("a.txt", "version"))

    assert [change.version for change in changes] == [3]


async def test_two_watchers_make_one_version(folder: ProjectFolder, space: MemorySpace, root: Path) -> None:
    [row] = await known(folder, space, a_txt="one\n")
    other = ProjectFolder.open(root)
    async with watching(folder, space) as one, watching(other, space) as two:
        looking = [asyncio.ensure_future(each.until(("a.txt", "version"))) for each in (one, two)]
        (folder.root / "a.txt").write_text("two\n")
        await asyncio.wait(looking, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0.5)  # for the other to look at it too
        for each in looking:
            each.cancel()
        await asyncio.wait(looking)

    [_, newest] = await space.read(History(row.id))
    assert newest.version == 2


async def test_where_the_system_cannot_watch_the_folder_is_looked_through(
    folder: ProjectFolder, space: MemorySpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowide.project.watching._watcher", lambda folders: None)
    monkeypatch.setattr("flowide.project.watching.POLL_S", 0.05)
    await known(folder, space, a_txt="one\n")
    async with aclosing(folder.watch(space)) as news:  # type: ignore[type-var]
        assert not (await anext(news)).watching
        (folder.root / "a.txt").write_text("two\n")

        await Watched(news).until(("a.txt", "version"))


@pytest.mark.slow
async def test_a_tree_of_a_hundred_thousand_files_is_watched(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    for at in range(1000):
        inner = folder.root / f"pkg{at % 10}" / f"sub{at}"
        inner.mkdir(parents=True)
        for number in range(100):
            (inner / f"file{number}.py").touch()
    await known(folder, space, pkg3__sub3__file7_py="one\n")
    async with watching(folder, space) as watched:
        (folder.root / "pkg3/sub3/file7.py").write_text("two\n")

        await watched.until(("pkg3/sub3/file7.py", "version"))


def test_a_watcher_is_no_daemon(root: Path) -> None:
    """Its process ends although it is watching."""
    script = (
        "import asyncio, sys\n"
        "from flowide.project.folder import ProjectFolder\n"
        "from flowide.testing import MemorySpace\n"
        "async def main():\n"
        "    folder = ProjectFolder.open(sys.argv[1])\n"
        "    news = folder.watch(MemorySpace())\n"
        "    await anext(news)\n"
        "    task = asyncio.ensure_future(anext(news))\n"
        "    await asyncio.sleep(0.1)\n"
        "    task.cancel()\n"
        "asyncio.run(main())\n"
    )

    subprocess.run([sys.executable, "-c", script, str(root)], check=True, timeout=60)
