"""Two people, each with a folder of their own: what one saves, moves or deletes happens in the other's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flowide.domain import rows
from flowide.domain.commands import AcquireLock, CreateArtifact
from flowide.errors import Conflict
from flowide.project.catching_up import Change
from flowide.project.folder import ProjectFolder
from flowide.project.following import follow_now
from flowide.space.remote.space import RemoteSpace


class Desk:
    """Somebody's folder, and the space as they see it."""

    def __init__(self, root: Path, space: RemoteSpace) -> None:
        root.mkdir(exist_ok=True)
        self.folder = ProjectFolder.open(root)
        self.space = space

    def path(self, name: str) -> Path:
        return self.folder.root / name

    async def follow(self, other: Desk) -> list[Change]:
        """Once everything that the other one did is known here."""
        last = await other.space.head()
        async with asyncio.timeout(60):
            while self.space.core.seq < last:
                await asyncio.sleep(0.01)
        return await follow_now(self.folder, self.space)

    async def locked(self, row: rows.Artifact) -> int:
        return (await self.space.execute(AcquireLock(artifact=row.id))).ok.fence or 0

    async def save(self, name: str, text: str) -> rows.Artifact:
        row = await self.folder.artifact(self.space, name)
        fence = await self.locked(row)
        await self.folder.save(self.space, row, fence=fence, base=row.version, data=text)
        return await self.folder.artifact(self.space, name)


@pytest.fixture
async def a(tmp_path: Path, ana: RemoteSpace) -> Desk:
    return Desk(tmp_path / "ana", ana)


@pytest.fixture
async def r(tmp_path: Path, rod: RemoteSpace) -> Desk:
    return Desk(tmp_path / "rod", rod)


@pytest.fixture
async def row(a: Desk, r: Desk) -> rows.Artifact:
    """`notes.md` at version 1, in both folders."""
    await a.folder.create(a.space, "notes.md", "one\n")
    await r.follow(a)
    assert r.path("notes.md").read_text() == "one\n"
    return await r.folder.artifact(r.space, "notes.md")


def said(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.path, change.what) for change in changes]


async def test_a_save_elsewhere_updates_a_clean_file(a: Desk, r: Desk, row: rows.Artifact) -> None:
    await a.save("notes.md", "two\n")

    changes = await r.follow(a)

    assert said(changes) == [("notes.md", "written")]
    assert r.path("notes.md").read_text() == "two\n"
    assert await r.follow(a) == []
    assert (await r.folder.artifact(r.space, "notes.md")).version == 2


async def test_a_file_that_was_changed_here_becomes_a_card_and_stays(
    a: Desk, r: Desk, row: rows.Artifact
) -> None:
    r.path("notes.md").write_text("mine\n")
    await a.save("notes.md", "two\n")

    [change] = await r.follow(a)

    assert (change.what, r.path("notes.md").read_text()) == ("conflict", "mine\n")
    [card] = await r.folder.conflicts(r.space)
    assert (card.id, card.base, card.shape) == (change.conflict, 1, "disk")
    resolved = await r.folder.resolve(r.space, card.id, "variation")
    assert resolved.set is not None and r.path("notes.md").read_text() == "two\n"


async def test_a_change_on_disk_becomes_a_version_that_the_other_gets(
    a: Desk, r: Desk, row: rows.Artifact
) -> None:
    r.path("notes.md").write_text("by vim\n")
    await r.folder.catch_up(r.space)

    await a.follow(r)

    assert a.path("notes.md").read_text() == "by vim\n"


async def test_a_move_elsewhere_moves_the_file(a: Desk, r: Desk, row: rows.Artifact) -> None:
    fence = await a.locked(row)
    await a.folder.move(a.space, row, "docs/notes.md", fence=fence, base=1)

    await r.follow(a)

    assert not r.path("notes.md").exists()
    assert r.path("docs/notes.md").read_text() == "one\n"


async def test_a_file_that_was_changed_here_moves_with_its_words(
    a: Desk, r: Desk, row: rows.Artifact
) -> None:
    r.path("notes.md").write_text("mine\n")
    fence = await a.locked(row)
    await a.folder.move(a.space, row, "docs/notes.md", fence=fence, base=1)

    [change] = await r.follow(a)

    assert (change.path, change.what) == ("docs/notes.md", "version")
    assert r.path("docs/notes.md").read_text() == "mine\n" and not r.path("notes.md").exists()
    await a.follow(r)
    assert a.path("docs/notes.md").read_text() == "mine\n"


async def test_a_deletion_elsewhere_removes_a_clean_file_and_no_other(
    a: Desk, r: Desk, row: rows.Artifact
) -> None:
    other = await a.folder.create(a.space, "other.md", "other\n")
    await r.follow(a)
    r.path("other.md").write_text("my words\n")
    await a.folder.delete(a.space, row, fence=await a.locked(row), base=1)
    second = await a.folder.artifact(a.space, "other.md")
    await a.folder.delete(a.space, second, fence=await a.locked(second), base=other.version)

    changes = await r.follow(a)

    assert said(changes) == [("notes.md", "removed"), ("other.md", "conflict")]
    assert not r.path("notes.md").exists() and r.path("other.md").read_text() == "my words\n"


async def test_a_file_that_was_removed_here_stays_away(a: Desk, r: Desk, row: rows.Artifact) -> None:
    r.path("notes.md").unlink()
    await a.save("notes.md", "two\n")

    assert await r.follow(a) == []
    assert not r.path("notes.md").exists()


async def test_a_file_that_was_there_before_is_no_version_but_a_card(a: Desk, r: Desk) -> None:
    r.path("plan.md").write_text("rod's plan\n")
    await a.folder.create(a.space, "plan.md", "ana's plan\n")

    [change] = await r.follow(a)

    assert (change.what, r.path("plan.md").read_text()) == ("conflict", "rod's plan\n")
    with pytest.raises(Conflict):
        await r.folder.artifact(r.space, "plan.md")
    assert (await r.folder.conflicts(r.space))[0].path == "plan.md"


async def test_nothing_of_others_is_written_where_it_could_run(a: Desk, r: Desk) -> None:
    for path in (".flowide/agents/evil.md", ".flowide/flows/evil.yaml"):
        await a.space.execute(CreateArtifact(path=path, text="run me"))

    changes = await r.follow(a)

    assert {change.what for change in changes} == {"blocked"}
    assert not list(r.path(".flowide").glob("*/evil*"))


async def test_watching_keeps_both_folders_in_step(a: Desk, r: Desk, row: rows.Artifact) -> None:
    async with watched(a), watched(r):
        await a.save("notes.md", "from ana\n")
        await until_text(r.path("notes.md"), "from ana\n")
        r.path("notes.md").write_text("from rod's vim\n")
        await until_text(a.path("notes.md"), "from rod's vim\n")


async def test_edits_cross_both_ways_while_the_line_breaks(
    a: Desk, r: Desk, row: rows.Artifact, proxy: object
) -> None:
    from tests.space.remote.proxy import Proxy

    assert isinstance(proxy, Proxy)
    async with watched(a), watched(r):
        for number in range(5):
            proxy.drop()
            await r.save("notes.md", f"round {number}\n")
            await until_text(a.path("notes.md"), f"round {number}\n")


@contextlib.asynccontextmanager
async def watched(desk: Desk) -> AsyncIterator[None]:
    async def watch() -> None:
        async for _ in desk.folder.watch(desk.space):
            pass

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until_text(path: Path, text: str) -> None:
    async with asyncio.timeout(60):
        while not path.exists() or path.read_text() != text:
            await asyncio.sleep(0.02)
