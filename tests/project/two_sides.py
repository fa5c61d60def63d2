"""A file with two texts for one version, and the card that asks."""

from __future__ import annotations

import pytest

from flowide.domain.commands import AppendDraft, SaveArtifact
from flowide.domain.rows import Artifact
from flowide.errors import Conflict
from flowide.project.conflicts import Card, find_card
from flowide.project.folder import ProjectFolder
from flowide.space.queries import Content
from flowide.testing import MemorySpace
from tests.project.conftest import lock

BASE = "one\ntwo\nthree\nfour\nfive\n"
MINE = "one\ntwo\nthree\nfour\nFIVE by ana\n"
DISK = "ONE by vim\ntwo\nthree\nfour\nfive\n"
BOTH = "ONE by vim\ntwo\nthree\nfour\nFIVE by ana\n"


async def edited_on_both_sides(
    folder: ProjectFolder, space: MemorySpace, *, mine: str | None = MINE, disk: str | bytes = DISK
) -> tuple[Artifact, Card]:
    """Ana writes a draft under her lock while another program changes the file; somebody looks."""
    (folder.root / "a.txt").write_text(BASE)
    row = await folder.artifact(space, "a.txt")
    fence = await lock(space, row.id)
    if mine is not None:
        await space.execute(AppendDraft(artifact=row.id, fence=fence, off=0, text=mine))
    (folder.root / "a.txt").write_bytes(disk.encode() if isinstance(disk, str) else disk)
    with pytest.raises(Conflict) as refused:
        await folder.artifact(space, "a.txt")
    return row, await find_card(space, refused.value.data["conflict"])


async def stale_file(
    folder: ProjectFolder, space: MemorySpace, *, edited: str = DISK
) -> tuple[Artifact, Card]:
    """A version is saved without the folder; another program, which has not seen it, changes the file."""
    (folder.root / "a.txt").write_text(BASE)
    row = await folder.artifact(space, "a.txt")
    fence = await lock(space, row.id)
    await space.execute(SaveArtifact(artifact=row.id, fence=fence, base=1, text=MINE))
    (folder.root / "a.txt").write_text(edited)
    with pytest.raises(Conflict) as refused:
        await folder.artifact(space, "a.txt")
    return row, await find_card(space, refused.value.data["conflict"])


def on_disk(folder: ProjectFolder) -> str:
    return (folder.root / "a.txt").read_text()


async def newest(space: MemorySpace, row: Artifact) -> str:
    return (await space.read(Content(row.id))).decode()
