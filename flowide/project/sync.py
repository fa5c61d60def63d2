"""A file beside its artifact: which of them lags behind, and what to do about it.

Compared by bytes, a file is one of five things:

- the newest version: nothing to do;
- what stood there when an older version was the newest (the ledger knows): a version was saved and not written,
  by a process that ended or one without the folder, so the newest version is written out;
- anything else, made from the newest version, while nobody holds the lock: a change from outside, which becomes
  a version by `disk`;
- the same while somebody holds it: a conflict card;
- anything else, made from an older version: a conflict card too, and so is, in a space of several machines, a file
  that was never in step here.

In a conflict the file stays as it is, and its bytes are kept as a blob.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from flowide.domain import rows
from flowide.domain.actors import DISK
from flowide.domain.commands import (
    MAX_BLOB,
    MAX_INLINE,
    AcquireLock,
    Command,
    CreateArtifact,
    SaveArtifact,
)
from flowide.errors import BadInput, Busy, Fenced, TooLarge
from flowide.project import conflicts
from flowide.project.files import Found, Tree
from flowide.project.kinds import kind_of
from flowide.project.ledger import Ledger
from flowide.space.api import Space
from flowide.space.queries import Content, FindArtifact, History, Locks

UNKNOWN = 0
"""Stands for the base of a file of which nothing is known."""


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


async def in_step(
    space: Space, tree: Tree, ledger: Ledger, row: rows.Artifact, found: Found | None
) -> rows.Artifact:
    """The artifact after file and newest version were brought together.

    Raises:
        Conflict: The file was changed while somebody holds the lock, or from an older version.
    """
    left_over = tree.left_over(row.path)
    if found is None:
        if left_over:
            await write_head(space, tree, ledger, row, None)
    elif found.sha256 == row.sha256:
        note(ledger, row, found)
    else:
        base = await base_of(space, tree, ledger, row, found)
        if base is None:
            await write_head(space, tree, ledger, row, found)
        elif base == UNKNOWN:
            raise await conflicts.file_is_foreign(space, row, found.data)
        elif base < row.version:
            raise await conflicts.file_is_stale(space, row, found.data, base=base)
        else:
            row = await _take_change(space, row, found.data)
            note(ledger, row, found)
    if left_over:
        tree.clear_left_over(row.path)
    return row


async def base_of(space: Space, tree: Tree, ledger: Ledger, row: rows.Artifact, found: Found) -> int | None:
    """The version that a file with other bytes than the newest one is made from; None = it only lags behind.

    `UNKNOWN` for a file that was here before the project worked in a space of several machines.
    """
    versions = await space.read(History(row.id))
    *older, newest = versions
    known = any(version.sha256 == found.sha256 for version in older)
    left_over = tree.left_over(row.path)
    seen = ledger.get(row.id)
    # A memory that the log does not bear out is of another log, for example before a backup came back.
    if seen is None or (seen.version, seen.sha256) not in {(each.version, each.sha256) for each in versions}:
        if space.shared:
            # Clocks of other machines tell nothing, and what was never in step here is nobody's change.
            return None if known else UNKNOWN
        lags = known and (left_over or found.changed_ns < _end_of_ms(newest.ts))
        return None if lags else row.version
    if seen.sha256 == row.sha256:
        return row.version
    if seen.sha256 == found.sha256 or (known and left_over):
        return None
    return seen.version


def note(ledger: Ledger, row: rows.Artifact, found: Found) -> None:
    """Remember that the file is the newest version."""
    seen = ledger.get(row.id)
    if seen is None or (seen.version, seen.sha256, seen.stamp) != (row.version, row.sha256, found.stamp):
        ledger.note(row.id, row.version, row.sha256, found.stamp)


async def write_head(
    space: Space, tree: Tree, ledger: Ledger, row: rows.Artifact, found: Found | None
) -> None:
    """Write the newest version in place of the file that was found."""
    data = await space.read(Content(row.id))
    tree.stage(row.path, data).commit(found)
    ledger.note(row.id, row.version, row.sha256)


async def _take_change(space: Space, row: rows.Artifact, data: bytes) -> rows.Artifact:
    """A change from outside becomes a version by `disk`, under a lock like any other."""
    try:
        await take_changes(space, [(row, data)])
    except (Busy, Fenced) as busy:
        raise await conflicts.changed_under_lock(space, row, data) from busy
    row = await space.read(FindArtifact(row.id))
    await conflicts.settle_moot(space, row, f"what is on disk became version {row.version}")
    return row


async def take_changes(space: Space, changed: Sequence[tuple[rows.Artifact, bytes]]) -> None:
    """Up to 32 changes from outside become versions by `disk`, all together or none.

    Raises:
        Busy, Fenced: Somebody holds a lock among them.
    """
    disk = space.acting_as(DISK)
    commands: list[Command[Any]] = []
    for row, data in changed:
        [state] = await disk.read(Locks(row.id))
        # A grant adds one to the fence; when another grant comes first, the whole batch is refused.
        commands += [
            AcquireLock(artifact=row.id, purpose="changed on disk"),
            SaveArtifact(
                artifact=row.id,
                fence=state.lock.fence + 1,
                base=row.version,
                note="changed on disk",
                **await content_of(disk, data),
            ),
        ]
    await disk.batch(commands)


def _end_of_ms(ts: str) -> int:
    """Unix nanoseconds after the millisecond that an event's time names."""
    moment = datetime.datetime.fromisoformat(ts)
    return (round(moment.timestamp() * 1000) + 1) * 1_000_000
