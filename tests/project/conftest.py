"""A project folder and a space beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import AcquireLock
from flowide.domain.rows import Artifact, Version
from flowide.project.committing import commit_version
from flowide.project.folder import ProjectFolder
from flowide.project.git_model import Committed
from flowide.space.queries import History
from flowide.testing import MemorySpace
from tests.project.git_repository import GitRepository

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


async def versions(space: MemorySpace, artifact: str) -> list[Version]:
    return await space.read(History(artifact))


async def write_file(folder: ProjectFolder, path: str, text: str) -> str:
    file = folder.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return path


@pytest.fixture
def git(root: Path) -> GitRepository:
    repository = GitRepository.made(root)
    repository.write(a_dot_txt="one\n", b_dot_txt="b\n", c_dot_txt="c\n", sub__d_dot_txt="d\n")
    repository.commit()
    return repository


async def saved(
    folder: ProjectFolder, space: MemorySpace, path: str, data: str | bytes, note: str = ""
) -> Artifact:
    """A new version of a file."""
    row = await folder.artifact(space, path)
    await folder.save(space, row, fence=await lock(space, row.id), base=row.version, data=data, note=note)
    return await folder.artifact(space, path)


async def committed(
    folder: ProjectFolder, space: MemorySpace, path: str, data: str | bytes, note: str = ""
) -> Committed:
    """A new version of a file, in git."""
    done = await commit_version(folder, space, await saved(folder, space, path, data, note))
    assert done is not None
    return done
