"""Taking in a whole space that lived somewhere else: an export, as a tar stream."""

from __future__ import annotations

import asyncio
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from flowide.errors import BadInput, NotAllowed, StorageFailed, TooLarge
from flowide.hub.answers import json_answer
from flowide.hub.hub import Hub
from flowide.hub.keeper import Room
from flowide.hub.seats import Seat
from flowide.space.archive import Moved, import_from
from flowide.store.api import Store

MOST = 8 * 1024**3
"""Bytes of an export."""


async def take_in(hub: Hub, request: Request, room: Room, seat: Seat) -> Response:
    """Fill a space in which nothing has happened yet from an export; owners only."""
    if seat.role != "owner":
        raise NotAllowed(f"{seat.member} is no owner here", hint="Ask an owner to do it.")
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="flowide-import-"))
    try:
        with (folder / "export.tar").open("w+b") as spool:
            size = 0
            async for part in request.stream():
                size += len(part)
                if size > MOST:
                    raise TooLarge("the export is too large for this hub", limit=MOST)
                spool.write(part)
            spool.seek(0)
            await asyncio.to_thread(_unpack, spool, folder / "export")
        moved: Moved = await room.space.write(lambda store: _import(store, folder / "export"))
    except OSError as error:
        raise StorageFailed(f"the export cannot be kept here: {error.strerror or error}") from error
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    room.space.changed_elsewhere()
    hub.journal.write("info", "space.imported", space=room.space.name, events=moved.events)
    return json_answer(msgspec.to_builtins(moved))


def _import(store: Store, folder: Path) -> Moved:
    return import_from(store, folder)


def _unpack(spool: object, folder: Path) -> None:
    """Make the files and folders of an export.

    Not `extractall`: what keeps that inside its folder came with Python 3.11.4 only.
    """
    folder.mkdir()
    size = 0
    try:
        with tarfile.open(fileobj=spool, mode="r:") as tar:  # type: ignore[call-overload] # any file
            for entry in tar:
                place = _inside(folder, entry.name)
                size += entry.size
                if size > MOST:  # a sparse file says more than was sent
                    raise TooLarge("the export is too large for this hub", limit=MOST)
                if entry.isdir():
                    place.mkdir(parents=True, exist_ok=True)
                elif (source := tar.extractfile(entry) if entry.isreg() else None) is not None:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with source, place.open("xb") as target:
                        shutil.copyfileobj(source, target)
                else:
                    raise ValueError(f"{entry.name[:200]!r} is neither a file nor a folder")
    except (tarfile.TarError, EOFError, ValueError, FileExistsError, NotADirectoryError) as error:
        raise BadInput(f"this is no export: {error}", hint="Export again.") from error


def _inside(folder: Path, name: str) -> Path:
    """Where a name of an export stands.

    Raises:
        ValueError: Outside of the folder.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name[:200]!r} leads out of it")
    return folder.joinpath(*path.parts)
