"""A disk that is full, read-only or failing: refused with `storage`, nothing half done, and it goes on by itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.errors import StorageFailed
from flowide.space import queries as q
from flowide.space.local import LocalSpace
from flowide.store.sqlite import SqliteStore
from tests.store.conftest import ANA

ROOT = Path(__file__).parents[2]


def run_faulty(database: Path, *args: str, under: tuple[str, ...] = ()) -> dict[str, Any]:
    done = subprocess.run(
        [*under, sys.executable, "-m", "tests.store.faulty", str(database), *args],
        cwd=ROOT, capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def can_run(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


async def versions_of(database: Path) -> list[int]:
    """Versions in the log, after checking all of it."""
    space = LocalSpace(SqliteStore(database), Actor("ana"))
    assert await space.read(q.Verify()) == []
    [row] = await space.read(q.Artifacts())
    versions = [version.version for version in await space.read(q.History(row.id))]
    await space.close()
    return versions


async def test_a_file_that_may_not_grow_is_told_and_work_goes_on_when_there_is_room(database: Path) -> None:
    found = run_faulty(database, "60", str(300 * 1024))

    assert found["said"] and found["head"] > len(found["acknowledged"])
    assert all("database is locked" not in said and " | " in said for said in found["said"])
    assert await versions_of(database) == found["acknowledged"]


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize(
    "fault",
    [
        "fdatasync,fsync:error=EIO:when=12+5",
        "pwrite64:error=EIO:when=60+17",
        "pwrite64:error=ENOSPC:when=60+17",
    ],
)
async def test_a_failing_disk_loses_nothing_that_was_acknowledged(database: Path, fault: str) -> None:
    calls = fault.partition(":")[0]
    under = ("strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={calls}", "-e", f"inject={fault}")
    if not can_run(*under, "true"):
        pytest.skip("strace cannot trace here")

    SqliteStore(database).close()

    found = run_faulty(database, "40", under=under)

    assert found["said"]
    assert await versions_of(database) == found["acknowledged"]


# --- a disk of its own ------------------------------------------------------------------------------


class Disk:
    """A small file system in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder))

    def become(self, options: str) -> None:
        self._mount("-o", f"remount,{options}", str(self.folder))

    def _mount(self, *args: str) -> None:
        if not can_run("mount", *args):
            pytest.skip("needs the right to mount")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=False)


async def test_on_a_full_disk_reading_goes_on_and_no_word_is_lost(disk: Disk) -> None:
    database = disk.folder / "workspace.db"
    space = LocalSpace(SqliteStore(database), ANA)
    doc = (await space.execute(c.CreateArtifact(path="doc.md", text="start"))).ok.artifact
    fence = (await space.execute(c.AcquireLock(artifact=doc, ttl_ms=86_400_000))).ok.fence or 0
    base, draft = 1, ""
    with pytest.raises(StorageFailed) as refused:
        while True:
            text = os.urandom(16_000).hex()
            await space.execute(c.AppendDraft(artifact=doc, fence=fence, off=len(draft), text=text))
            draft += text
            base = (
                await space.execute(
                    c.SaveArtifact(artifact=doc, fence=fence, base=base, text=draft[-60_000:], then="keep")
                )
            ).ok.version
            draft = ""
    assert "full" in refused.value.message and "Free some space" in refused.value.hint

    versions = await space.read(q.History(doc))
    assert [row.version for row in versions] == list(range(1, base + 1))
    live = await space.read(q.LiveDraft(doc))
    assert ("" if live is None else live.text) == draft
    disk.become("size=8m")
    await space.execute(c.SaveArtifact(artifact=doc, fence=fence, base=base, text="there is room"))
    assert await space.read(q.Verify()) == []
    await space.close()


async def test_a_full_disk_makes_no_half_workspace(disk: Disk) -> None:
    (disk.folder / "filler").write_bytes(b"x" * (1000 * 1024))
    database = disk.folder / "workspace.db"

    with pytest.raises(StorageFailed):
        LocalSpace(SqliteStore(database), ANA)
    (disk.folder / "filler").unlink()

    space = LocalSpace(SqliteStore(database), ANA)
    await space.execute(c.CreateArtifact(path="doc.md", text=""))
    await space.close()


async def test_a_read_only_disk_can_be_read(disk: Disk) -> None:
    database = disk.folder / "workspace.db"
    writing = LocalSpace(SqliteStore(database), ANA)
    doc = (await writing.execute(c.CreateArtifact(path="doc.md", text="words"))).ok.artifact
    await writing.close()
    disk.become("ro")

    space = LocalSpace(SqliteStore(database), ANA)

    assert await space.read(q.Content(doc)) == b"words"
    assert await space.read(q.Verify()) == []
    with pytest.raises(StorageFailed) as refused:
        await space.execute(c.AcquireLock(artifact=doc))
    assert "read-only" in refused.value.message and "writable" in refused.value.hint
    await space.close()
