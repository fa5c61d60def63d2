"""Many files at once: what other programs changed while nobody looked, or in one stroke like a branch switch."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from flowide.domain import rows
from flowide.errors import Conflict, FlowError
from flowide.project import conflicts, sync
from flowide.project.files import Found
from flowide.project.ledger import stamp_of
from flowide.project.turn import uninterrupted
from flowide.space.api import Space
from flowide.space.queries import ArtifactAt, Artifacts, FindArtifact, Locks

if TYPE_CHECKING:
    from flowide.project.place import Place

_FEW = 200
"""Paths that are looked up one by one."""
TOGETHER = 32
"""Versions that go into the log in one transaction."""


class Change(Struct, frozen=True, omit_defaults=True):
    """What became of a file that another program changed."""

    path: str
    what: Literal["version", "conflict", "missing", "blocked", "written", "removed"]
    """`written` and `removed`: the file followed what was done on another machine."""
    artifact: str
    version: int
    """The newest one now."""
    conflict: str | None = None
    """Id of the card."""
    message: str = ""


async def catch_up(place: Place, space: Space, paths: Collection[str] | None = None) -> list[Change]:
    """Bring the artifacts at these paths, or all, into step with their files; what changed, by path."""
    if paths is None:
        known = await space.read(Artifacts())
        wanted = await asyncio.to_thread(_suspicious, place, known)
    elif len(paths) > _FEW:
        names = set(paths)
        wanted = [row for row in await space.read(Artifacts()) if row.path in names]
    else:
        found = [await space.read(ArtifactAt(path)) for path in sorted(paths)]
        wanted = [row for row in found if row is not None and row.path in paths]
    changes: list[Change] = []
    for start in range(0, len(wanted), TOGETHER):
        changes += await _some(place, space, wanted[start : start + TOGETHER])
    return changes


def _suspicious(place: Place, known: Iterable[rows.Artifact]) -> list[rows.Artifact]:
    """Artifacts whose file is not, by size and times, the one that was in step; missing ones are not told."""
    stamps = place.ledger.stamps()
    root = os.fspath(place.root)
    found = []
    for row in known:
        try:
            status = os.lstat(os.path.join(root, row.path))
        except OSError:
            if row.path.isascii():
                continue
        else:
            stamp = stamps.get(row.id)
            if stamp and stamp == stamp_of(status):
                continue
        found.append(row)
    return found


async def _some(place: Place, space: Space, wanted: list[rows.Artifact]) -> list[Change]:
    """A few of them in one turn; plain changes go into the log together."""
    changes: list[Change] = []
    plain: list[tuple[rows.Artifact, Found]] = []
    async with place.turn():
        for row in wanted:
            found, change = await _look(place, space, row)
            if found is not None:
                plain.append((row, found))
            elif change is not None:
                changes.append(change)
        changes += await uninterrupted(_take(place, space, plain))
    return sorted(changes, key=lambda change: change.path)


async def _look(place: Place, space: Space, row: rows.Artifact) -> tuple[Found | None, Change | None]:
    """A plain change, to be taken in, or what else became of the file; neither when it is in step."""
    try:
        row = await space.read(FindArtifact(row.id))
        found = place.tree.read(row.path)
        if found is None:
            return None, Change(row.path, "missing", row.id, row.version, message=f"{row.path} is gone")
        if found.sha256 == row.sha256:
            sync.note(place.ledger, row, found)
            return None, None
        found = await place.settled(row.path, found)
        if found is None or place.tree.left_over(row.path):
            return None, await _one(place, space, row, found)
        [state] = await space.read(Locks(row.id))
        base = await sync.base_of(space, place.tree, place.ledger, row, found)
        if state.lock.state == "free" and base == row.version and found.sha256 != row.sha256:
            return found, None
        return None, await _one(place, space, row, found)
    except FlowError as error:
        return None, Change(row.path, "blocked", row.id, row.version, message=error.message)


async def _take(place: Place, space: Space, plain: list[tuple[rows.Artifact, Found]]) -> list[Change]:
    if not plain:
        return []
    try:
        await sync.take_changes(space, [(row, found.data) for row, found in plain])
    except FlowError:
        # One of them is not that plain any more: each on its own.
        one_by_one = [await _one(place, space, row, found) for row, found in plain]
        return [change for change in one_by_one if change is not None]
    changes = []
    for row, found in plain:
        now = await space.read(FindArtifact(row.id))
        sync.note(place.ledger, now, found)
        await conflicts.settle_moot(space, now, f"what is on disk became version {now.version}")
        changes.append(Change(now.path, "version", now.id, now.version))
    return changes


async def _one(place: Place, space: Space, row: rows.Artifact, found: Found | None) -> Change | None:
    try:
        now = await sync.in_step(space, place.tree, place.ledger, row, found)
    except Conflict as conflict:
        card = conflict.data.get("conflict")
        return Change(row.path, "conflict", row.id, row.version, conflict=card, message=conflict.message)
    except FlowError as error:
        return Change(row.path, "blocked", row.id, row.version, message=error.message)
    return Change(now.path, "version", now.id, now.version) if now.version != row.version else None
