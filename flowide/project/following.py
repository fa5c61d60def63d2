"""Files follow a space of several machines: what is saved, moved or deleted elsewhere happens here too.

A file that is as it was when it was last in step gives way. One that somebody changed here stays, and becomes a
conflict card; one that somebody removed here stays away. Nothing is ever written into `.flowide` or `.git`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from flowide.domain import rows
from flowide.errors import BadPath, Conflict, FlowError
from flowide.project import conflicts, sync
from flowide.project.catching_up import Change
from flowide.project.ledger import Seen
from flowide.project.reconnecting import offer
from flowide.project.turn import uninterrupted
from flowide.space.api import Space
from flowide.space.queries import Artifacts, FindArtifact, History
from flowide.space.remote.texts import OFFLINE

if TYPE_CHECKING:
    from flowide.project.place import Place

_DOT = ".flowide/"


async def follow_now(place: Place, space: Space) -> list[Change]:
    """Bring all files to what the space says; what changed, by path."""
    known = place.ledger.all()
    changes = []
    for row in await space.read(Artifacts(deleted=True)):
        seen = known.get(row.id)
        if seen is None and row.deleted:
            continue
        if seen is None or (seen.version, seen.sha256) != (row.version, row.sha256):
            change = await _bring(place, space, row.id)
            if change is not None:
                changes.append(change)
    return sorted(changes, key=lambda change: change.path)


async def follow(place: Place, space: Space) -> AsyncIterator[list[Change]]:
    """As `follow_now`, and then whenever the space has something new, until closed."""
    head = await space.head()
    yield await follow_now(place, space)
    yield await offer(space)
    async with contextlib.aclosing(space.events(head, follow=True)) as events:  # type: ignore[type-var] # a generator
        async for event in events:
            if event.type == "draft.kept" and event.data["why"] == OFFLINE and event.client == space.client:
                yield await offer(space)
            if event.type.startswith("artifact.") and event.type != "artifact.committed":
                change = await _bring(place, space, event.data["artifact"])
                if change is not None:
                    yield [change]


async def _bring(place: Place, space: Space, artifact: str) -> Change | None:
    async with place.turn():
        row = await space.read(FindArtifact(artifact))
        seen = place.ledger.get(artifact)
        if seen is not None and (seen.version, seen.sha256) == (row.version, row.sha256):
            return None  # our own doing
        try:
            return await uninterrupted(_one(place, space, row, seen))
        except Conflict as conflict:
            card = conflict.data.get("conflict")
            return Change(row.path, "conflict", row.id, row.version, conflict=card, message=conflict.message)
        except FlowError as error:
            message = f"{row.path} does not follow the space here: {error.message}"
            return Change(row.path, "blocked", row.id, row.version, message=message)


async def _one(place: Place, space: Space, row: rows.Artifact, seen: Seen | None) -> Change | None:
    if row.deleted:
        return None if seen is None else await _deleted(place, space, row, seen)
    if place.locate(row.path) != row.path or row.path.casefold().startswith(_DOT):
        raise BadPath(
            f"{row.path} is not written by itself: it leads elsewhere, or into the workspace",
            hint="Look at it, then write it with `flowide artifact restore`.",
        )
    before = None if seen is None else await _path_of(space, row, seen)
    if (
        seen is not None
        and before is not None
        and before != row.path
        and not place.same_file(before, row.path)
    ):
        _move(place, before, row.path, seen)
    found = place.tree.read(row.path)
    if found is None:
        if seen is not None and before == row.path:
            return None  # somebody removed it here, and it stays away
        await sync.write_head(space, place.tree, place.ledger, row, None)
        return Change(row.path, "written", row.id, row.version)
    if found.sha256 == row.sha256:
        sync.note(place.ledger, row, found)
        return None
    now = await sync.in_step(space, place.tree, place.ledger, row, found)
    what = place.ledger.get(row.id)
    written = what is not None and what.version == row.version == now.version
    return Change(now.path, "written" if written else "version", now.id, now.version)


def _move(place: Place, before: str, after: str, seen: Seen) -> None:
    """The file goes along with its artifact, with whatever is written in it."""
    found = place.tree.read(before)
    if found is None:
        return
    there = place.tree.read(after)
    if there is None:
        place.tree.stage(after, found.data, like=before).commit(None)
    elif found.sha256 != seen.sha256:
        return  # two files with words of their own: both stay where they are
    place.tree.remove(before, found)


async def _deleted(place: Place, space: Space, row: rows.Artifact, seen: Seen) -> Change | None:
    path = await _path_of(space, row, seen) or row.path
    found = place.tree.read(path)
    if found is not None and found.sha256 != seen.sha256:
        known = {version.sha256 for version in await space.read(History(row.id))}
        if found.sha256 not in known:
            place.ledger.note(row.id, row.version, row.sha256)
            raise await conflicts.file_is_stale(space, row, found.data, base=seen.version)
    if found is not None:
        place.tree.remove(path, found)
    place.ledger.note(row.id, row.version, row.sha256)
    return None if found is None else Change(path, "removed", row.id, row.version)


async def _path_of(space: Space, row: rows.Artifact, seen: Seen) -> str | None:
    """Where the file was when it was last in step; None when the log says nothing of that version."""
    versions = await space.read(History(row.id))
    found = [each for each in versions if (each.version, each.sha256) == (seen.version, seen.sha256)]
    return found[0].path if found else None
