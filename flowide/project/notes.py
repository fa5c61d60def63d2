"""Where each version and piece comes from, as git notes on the commits that hold them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from flowide.domain import rows
from flowide.errors import BadInput
from flowide.project.blame import blame
from flowide.project.committing import local_identity, nearest
from flowide.project.repository import Repository
from flowide.space.api import Space
from flowide.space.queries import Commits, FindArtifact, History

if TYPE_CHECKING:
    from flowide.project.folder import ProjectFolder

REF = "refs/notes/flowide"


class Exported(Struct, frozen=True):
    """What came of an export."""

    ref: str
    written: int
    """Notes that are new or say something else than before."""
    kept: int
    """Notes that said the same already."""
    missing: int
    """Commits of the log that are not in the repository (any more)."""


async def export_notes(folder: ProjectFolder, space: Space, name: str = "flowide") -> Exported:
    """Write the provenance of every committed version to `refs/notes/<name>`; other notes stay.

    Raises:
        BadInput: No git work tree, or no name of notes.
    """
    ref = f"refs/notes/{name.removeprefix('refs/notes/')}"
    done = {"written": 0, "kept": 0, "missing": 0}
    places: dict[str, Repository] = {}
    for commit in await space.read(Commits()):
        at = str(nearest(folder, commit.path))
        if at not in places:
            places[at] = await asyncio.to_thread(Repository.around, at)
        if not places[at].holds(commit.commit):
            done["missing"] += 1
            continue
        text = json.dumps(await provenance(space, commit), indent=1, ensure_ascii=False, sort_keys=True)
        who = local_identity(folder, space, places[at])
        fresh = await asyncio.to_thread(places[at].add_note, ref, commit.commit, text, who)
        done["written" if fresh else "kept"] += 1
    if not places:
        place = await asyncio.to_thread(Repository.around, folder.root)
        place.check_ref(ref)
    return Exported(ref, **done)


async def provenance(space: Space, commit: rows.Commit) -> dict[str, Any]:
    """What the log says about a committed version: who, with which model, in which run, piece by piece."""
    artifact = await space.read(FindArtifact(commit.artifact))
    history = await space.read(History(commit.artifact))
    version = next((each for each in history if each.version == commit.version), None)
    if version is None:
        raise BadInput(
            f"the log has no version {commit.version} of {commit.path}", hint="Run `flowide verify`."
        )
    pieces = [] if version.size == 0 else await blame(space, artifact, version.version)
    return {
        "flowide": 1,
        "version": msgspec.to_builtins(version),
        "pieces": msgspec.to_builtins(pieces),
    }
