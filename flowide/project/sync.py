"""A file beside its artifact: which of them lags behind, and what to do about it.

Compared by bytes, a file is one of four things:

- the newest version: nothing to do;
- an older version that nobody has touched since the newest one was saved, or one beside which a writer left
  its content: a process ended between saving and writing, so the newest version is written out;
- anything else, while nobody holds the lock: a change from outside, which becomes a version by `disk`;
- anything else, while somebody does: a conflict. The file stays as it is, and its bytes are kept as a blob.
"""

from __future__ import annotations

import datetime
from typing import Any

from flowide.domain import rows
from flowide.domain.actors import DISK
from flowide.domain.commands import (
    MAX_BLOB,
    MAX_INLINE,
    AcquireLock,
    CreateArtifact,
    ReleaseLock,
    SaveArtifact,
)
from flowide.errors import BadInput, Busy, Conflict, TooLarge
from flowide.project.files import Found, Tree
from flowide.project.kinds import kind_of
from flowide.space.api import Space
from flowide.space.queries import Content, FindArtifact, History


async def content_of(space: Space, data: bytes) -> dict[str, Any]:
    """The content as a command carries it: inline when it is a text of moderate size, else as a blob.

    Raises:
        TooLarge: Above 16 MiB.
    """
    if len(data) > MAX_BLOB:
        raise TooLarge(
            f"{len(data)} bytes are too much for one artifact",
            hint=f"The most is {MAX_BLOB} bytes.",
            limit=MAX_BLOB,
        )
    if len(data) <= MAX_INLINE:
        try:
            return {"text": data.decode()}
        except UnicodeDecodeError:
            pass
    return {"blob": await space.put_blob(data)}


def as_bytes(data: str | bytes) -> bytes:
    """The bytes of a text, or what are bytes already."""
    if isinstance(data, bytes):
        return data
    try:
        return data.encode()
    except UnicodeEncodeError:
        raise BadInput("the text is not valid Unicode", hint="Give bytes instead.") from None


async def take_in(space: Space, path: str, data: bytes) -> None:
    """Make a file that was found an artifact."""
    disk = space.acting_as(DISK)
    await disk.execute(
        CreateArtifact(
            path=path, kind=kind_of(path, data), note="found on disk", **await content_of(disk, data)
        )
    )


async def in_step(space: Space, tree: Tree, row: rows.Artifact, found: Found | None) -> rows.Artifact:
    """The artifact after file and newest version were brought together.

    Raises:
        Conflict: The file was changed while somebody holds the lock.
    """
    left_over = tree.left_over(row.path)
    if found is not None and found.sha256 != row.sha256:
        if not await lags(space, tree, row, found):
            row = await _take_change(space, row, found.data)
        else:
            await write_head(space, tree, row)
    elif found is None and left_over:
        await write_head(space, tree, row)
    if left_over:
        tree.clear_left_over(row.path)
    return row


async def lags(space: Space, tree: Tree, row: rows.Artifact, found: Found) -> bool:
    """Whether the file is what it was before the newest version, which was saved but not written."""
    *older, newest = await space.read(History(row.id))
    if all(version.sha256 != found.sha256 for version in older):
        return False
    return tree.left_over(row.path) or found.changed_ns < _end_of_ms(newest.ts)


async def write_head(space: Space, tree: Tree, row: rows.Artifact) -> None:
    """Write the newest version to its file."""
    data = await space.read(Content(row.id))
    tree.stage(row.path, data).commit()


async def _take_change(space: Space, row: rows.Artifact, data: bytes) -> rows.Artifact:
    """A change from outside becomes a version by `disk`, under a lock like any other."""
    disk = space.acting_as(DISK)
    content = await content_of(disk, data)
    try:
        granted = (await disk.execute(AcquireLock(artifact=row.id, purpose="changed on disk"))).ok
    except Busy as busy:
        raise await conflict(space, row, data, holder=busy.data.get("holder")) from busy
    assert granted.fence is not None
    try:
        await disk.execute(
            SaveArtifact(
                artifact=row.id, fence=granted.fence, base=row.version, note="changed on disk", **content
            )
        )
    except BaseException:
        await disk.execute(ReleaseLock(artifact=row.id, fence=granted.fence))
        raise
    return await space.read(FindArtifact(row.id))


async def conflict(space: Space, row: rows.Artifact, data: bytes, *, holder: str | None) -> Conflict:
    """The refusal to overwrite what somebody wrote to the file; its bytes are kept as a blob."""
    kept = await space.put_blob(data)
    return Conflict(
        f"{row.path} was changed on disk " + (f"while {holder} holds its lock" if holder else "meanwhile"),
        hint="Nothing was overwritten. Release the lock, and what is on disk becomes the next version.",
        version=row.version,
        path=row.path,
        artifact=row.id,
        holder=holder,
        disk_sha256=kept,
        disk_size=len(data),
    )


def _end_of_ms(ts: str) -> int:
    """Unix nanoseconds after the millisecond that an event's time names."""
    moment = datetime.datetime.fromisoformat(ts)
    return (round(moment.timestamp() * 1000) + 1) * 1_000_000
