"""Copies of spaces in SQLite files while they are in use, each of one moment."""

from __future__ import annotations

import os
from pathlib import Path

from flowide.errors import BadInput, Exists
from flowide.store.by_url import is_postgres, spaces
from flowide.store.explained import explained, storage_failed
from flowide.store.opening import connect


def back_up(database: str, folder: Path) -> list[Path]:
    """Copy all spaces of a database into a folder; the new files, readable by their owner only.

    A copy is a whole database: `flowide serve --database FOLDER` serves them as they were.

    Raises:
        BadInput: It is a PostgreSQL database, which has programs of its own for that, or there is nothing to copy.
        Exists: One of the files is there; nothing was copied over it.
        StorageFailed: The disk is full, or the database cannot be read.
    """
    if is_postgres(database):
        raise BadInput(
            "a PostgreSQL database is copied with its own programs",
            hint="Use pg_dump; see docs/postgresql.md.",
        )
    names = spaces(database)
    if not names:
        raise BadInput(f"there are no spaces in {database}", hint="Name the database of the hub.")
    place = Path(database)
    made = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise storage_failed(folder, error) from error
    for name in names:
        source = place if place.is_file() else place / f"{name}.db"
        made.append(_copy(source, folder / f"{name}.db"))
    return made


def _copy(source: Path, target: Path) -> Path:
    with explained(target):
        try:
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            raise Exists(f"{target} is there already", hint="Copy into a new folder.") from None
        try:
            connection = connect(source)
            try:
                connection.execute("VACUUM INTO ?", (str(target),))
            finally:
                connection.close()
            with target.open("rb") as file:
                os.fsync(file.fileno())
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return target
