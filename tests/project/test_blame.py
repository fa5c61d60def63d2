"""Every piece names where it comes from, through saves, variations and blends."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import AddVariation, OpenVariationSet, Provenance
from flowide.domain.rows import Artifact
from flowide.errors import NotFound
from flowide.project.blame import Blame, blame
from flowide.project.folder import ProjectFolder
from flowide.space.queries import FindArtifact
from flowide.testing import MemorySpace
from tests.project.conftest import lock


def code(**bodies: int) -> str:
    return "\n\n".join(f"def {name}():\n    return {body}\n" for name, body in bodies.items())


async def saved(folder: ProjectFolder, space: MemorySpace, row: Artifact, text: str, **more: Any) -> Artifact:
    now = await space.read(FindArtifact(row.id))
    await folder.save(space, now, fence=await lock(space, row.id), base=now.version, data=text, **more)
    return await space.read(FindArtifact(row.id))


async def by_piece(space: MemorySpace, row: Artifact, version: int | None = None) -> dict[str, Blame]:
    return {each.piece: each for each in await blame(space, row, version)}


async def vary(space: MemorySpace, row: Artifact, text: str, **more: Any) -> str:
    """A variation in the set `s`; its id."""
    id = f"v-{sha256(text.encode()).hexdigest()[:8]}"
    await space.execute(AddVariation(set="s", id=id, text=text, **more))
    return id


@pytest.fixture
async def row(folder: ProjectFolder, space: MemorySpace) -> Artifact:
    (folder.root / "m.py").write_text(code(a=1, b=1, c=1))
    return await folder.artifact(space, "m.py")


async def test_a_piece_belongs_to_the_version_since_which_it_is_the_same(
    folder: ProjectFolder, space: MemorySpace, row: Artifact
) -> None:
    await saved(folder, space, row, code(a=1, b=2, c=1), note="b is two")
    await saved(folder, space, row, code(a=1, b=2, c=3))

    found = await by_piece(space, row)

    assert {name: (each.version, each.actor) for name, each in found.items()} == {
        "a": (1, "disk"),
        "b": (2, "ana"),
        "c": (3, "ana"),
    }
    assert found["b"].source == "b is two"
    assert (await by_piece(space, row, 2))["c"].version == 1


async def test_a_piece_that_came_back_is_new(
    folder: ProjectFolder, space: MemorySpace, row: Artifact
) -> None:
    await saved(folder, space, row, code(a=9, b=1, c=1))
    await saved(folder, space, row, code(a=1, b=1, c=1))

    assert (await by_piece(space, row))["a"].version == 3


async def test_an_agents_save_names_its_model_run_and_person(
    folder: ProjectFolder, space: MemorySpace, row: Artifact
) -> None:
    edwin = space.acting_as(Actor("edwin", "agent", "ana"))
    fence = await lock(edwin, row.id)  # type: ignore[arg-type]
    origin = Provenance(model="tiny-1", run="r-1", step="draft#1")
    await folder.save(edwin, row, fence=fence, base=1, data=code(a=2, b=1, c=1), origin=origin)

    a = (await by_piece(space, row))["a"]

    assert (a.actor, a.actor_kind, a.for_, a.model, a.run) == ("edwin", "agent", "ana", "tiny-1", "r-1")


async def test_pieces_of_a_blend_lead_to_the_variations_they_were_written_in(
    folder: ProjectFolder, space: MemorySpace, row: Artifact
) -> None:
    await space.execute(OpenVariationSet(set="s", title="m.py", path="m.py", artifact=row.id, base=1))
    one = await vary(space, row, code(a=2, b=2, c=1), author="edwin", model="m-1", run="r-1")
    two = await vary(space, row, code(a=1, b=3, c=3), author="quinn", model="m-2", run="r-1")
    lineage = {
        "a": {"label": "@edwin", "piece": "a", "sha256": "0" * 64, "variation": one},
        "b": {"label": "@edwin", "piece": "b", "sha256": "0" * 64, "variation": one},
        "c": {"label": "@quinn", "piece": "c", "sha256": "0" * 64, "variation": two},
    }
    await vary(
        space,
        row,
        code(a=2, b=2, c=3),
        origin="blend",
        parents=[{"variation": 1}, {"variation": 2, "piece": "c"}],
        lineage=lineage,
    )
    fence = await lock(space, row.id)
    await folder.accept(space, row, set="s", number=3, fence=fence, base=1)

    found = await by_piece(space, row)

    assert {name: (each.actor, each.model, each.variation) for name, each in found.items()} == {
        "a": ("edwin", "m-1", 1),
        "b": ("edwin", "m-1", 1),
        "c": ("quinn", "m-2", 2),
    }
    assert {each.saved_by for each in found.values()} == {"ana"}


async def test_a_file_without_pieces_is_one_piece(folder: ProjectFolder, space: MemorySpace) -> None:
    (folder.root / "data.bin").write_bytes(b"\x00\xff")
    row = await folder.artifact(space, "data.bin")

    [whole] = await blame(space, row)

    assert (whole.piece, whole.version, whole.actor) == ("(whole file)", 1, "disk")


async def test_a_version_that_is_not_there_has_no_origin(space: MemorySpace, row: Artifact) -> None:
    with pytest.raises(NotFound):
        await blame(space, row, 9)


async def test_pieces_keep_their_origin_through_a_move_and_a_restore(
    folder: ProjectFolder, space: MemorySpace, row: Artifact
) -> None:
    row = await saved(folder, space, row, code(a=1, b=2, c=1))
    await folder.move(space, row, "n.py", fence=await lock(space, row.id), base=2)
    row = await space.read(FindArtifact(row.id))
    await folder.restore(space, row, fence=await lock(space, row.id), base=3, version=1)

    found = await by_piece(space, await space.read(FindArtifact(row.id)))

    assert {name: each.version for name, each in found.items()} == {"a": 1, "b": 4, "c": 1}
