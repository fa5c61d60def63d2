"""A new text and what stood there change places, so that nothing unseen is overwritten."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowide.errors import Conflict
from flowide.project.files import Tree
from flowide.project.folder import ProjectFolder
from flowide.project.swapping import exchange
from flowide.testing import MemorySpace
from tests.project.conftest import lock


def test_two_names_change_places(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        done = exchange(here, "a", "b")
        with pytest.raises(FileNotFoundError):
            exchange(here, "a", "missing")
    finally:
        os.close(here)

    assert done
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("b", "a")


async def test_without_the_exchange_nothing_seen_is_overwritten_either(
    folder: ProjectFolder, space: MemorySpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowide.project.files.exchange", lambda *names: False)
    (folder.root / "a.txt").write_text("one\n")
    row = await folder.artifact(space, "a.txt")
    await folder.save(space, row, fence=await lock(space, row.id), base=1, data="two\n")
    fence = await lock(space, row.id)
    (folder.root / "a.txt").write_text("from vim\n")

    with pytest.raises(Conflict):
        await folder.save(space, row, fence=fence, base=2, data="three\n")

    assert (folder.root / "a.txt").read_text() == "from vim\n"


async def test_a_removal_takes_only_what_was_found(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    (tmp_path / "a.txt").write_text("one\n")
    found = tree.read("a.txt")
    (tmp_path / "a.txt").write_text("two\n")

    with pytest.raises(Conflict):
        tree.remove("a.txt", found)

    assert [file.read_text() for file in tmp_path.iterdir()] == ["two\n"]
