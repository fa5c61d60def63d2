"""The log names the commit of a version."""

from __future__ import annotations

import pytest

from flowide.domain.commands import CreateArtifact, RecordCommit
from flowide.errors import BadInput, NotFound
from flowide.space.queries import Commits
from flowide.testing import MemorySpace

SHA = "0123456789abcdef" * 2 + "01234567"


async def test_a_commit_is_known_by_its_version() -> None:
    space = MemorySpace()
    made = (await space.execute(CreateArtifact(path="a.txt", text="one\n"))).ok

    await space.execute(RecordCommit(artifact=made.artifact, version=1, commit=SHA, ref="refs/heads/main"))

    [commit] = await space.read(Commits(made.artifact))
    assert (commit.version, commit.path, commit.commit, commit.actor) == (1, "a.txt", SHA, "ana")
    assert await space.read(Commits()) == [commit]


@pytest.mark.parametrize("commit", ["", "main", SHA.upper(), SHA[:-1], f"{SHA}\n", "--all"])
async def test_only_a_full_object_name_is_a_commit(commit: str) -> None:
    space = MemorySpace()
    made = (await space.execute(CreateArtifact(path="a.txt", text="one\n"))).ok

    with pytest.raises(BadInput):
        await space.execute(RecordCommit(artifact=made.artifact, version=1, commit=commit, ref="HEAD"))


async def test_a_version_that_is_not_there_has_no_commit() -> None:
    space = MemorySpace()
    made = (await space.execute(CreateArtifact(path="a.txt", text="one\n"))).ok

    for artifact, version in ((made.artifact, 2), ("nothing", 1)):
        with pytest.raises(NotFound):
            await space.execute(RecordCommit(artifact=artifact, version=version, commit=SHA, ref="HEAD"))
