"""What the folder remembers of files it has read."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.project.folder import ProjectFolder
from flowide.project.ledger import stamp_of
from flowide.testing import MemorySpace


def test_times_prove_nothing_about_a_file_that_was_just_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    status = (tmp_path / "a.txt").stat()

    monkeypatch.setattr("flowide.project.ledger._RACY_NS", 3_600_000_000_000)
    assert stamp_of(status) == ""
    monkeypatch.setattr("flowide.project.ledger._RACY_NS", 0)
    assert str(status.st_ctime_ns) in stamp_of(status)


async def test_what_the_folder_remembers_is_for_its_owner_only(
    folder: ProjectFolder, space: MemorySpace
) -> None:
    (folder.root / "a.txt").write_text("one\n")

    await folder.artifact(space, "a.txt")

    assert (folder.dot_dir / "folder.db").stat().st_mode & 0o777 == 0o600
