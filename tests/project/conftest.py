"""A project folder and a space beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import AcquireLock
from flowide.project.folder import ProjectFolder
from flowide.testing import MemorySpace

ANA = Actor("ana")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


@pytest.fixture
def folder(root: Path) -> ProjectFolder:
    return ProjectFolder.open(root)


@pytest.fixture
def space() -> MemorySpace:
    return MemorySpace(ANA)


async def lock(space: MemorySpace, artifact: str, purpose: str = "") -> int:
    """Acquire, and give back the fence."""
    fence = (await space.execute(AcquireLock(artifact=artifact, purpose=purpose))).ok.fence
    assert fence is not None
    return fence
