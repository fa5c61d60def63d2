"""Opening the workspace database: is it ours, is it safe to use here, has it the schema of this version?"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flowide.errors import StorageFailed
from flowide.store.explained import sqlite3
from flowide.store.filelock import WriterTurn
from flowide.store.journal import file_system, journal_mode
from flowide.store.shape import shape

SCHEMA_VERSION = 5
APPLICATION_ID = 0x464C4F57
"""Marks a database as a FlowIDE workspace, for `file` and for us."""
BUSY_S = 5.0
TURN_S = 20.0
_CACHE_KIB = 16 * 1024
"""Of pages that a connection keeps in memory: the upper pages of a million rows, and more."""
_WAL_KEPT = 16 * 1024 * 1024
"""Bytes of the WAL file that stay on disk after a burst."""


class Machine:
    """What a store asks about the machine it is on."""

    def __init__(
        self,
        *,
        sqlite_version: tuple[int, int, int] = sqlite3.sqlite_version_info,
        file_system: Callable[[Path], str] = file_system,
    ) -> None:
        self.sqlite_version = sqlite_version
        self.file_system = file_system
        """Names the kind of file system that holds a path; empty when it cannot be told."""


def make_private(path: Path) -> None:
    """Make the file when it is missing, readable by its owner only.

    A file that is there is never opened here: closing it would drop the locks that SQLite holds on it
    in this process (sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600))
    except FileExistsError:
        return


def connect(path: Path) -> Any:
    """A connection with the settings that every one has."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=BUSY_S, cached_statements=256
    )
    for pragma in (
        "synchronous=FULL", "foreign_keys=ON", "mmap_size=0", "temp_store=MEMORY",
        f"journal_size_limit={_WAL_KEPT}", f"cache_size=-{_CACHE_KIB}",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def prepare(connection: Any, path: Path, turn: WriterTurn, machine: Machine) -> str | None:
    """Bring the file to the journal mode and schema of this version; mostly there is nothing to do.

    Returns one line for people when something is not as it should be.

    Raises:
        StorageFailed: Not a workspace, a newer schema, or no safe way to use it from here.
    """
    mode, notice = journal_mode(path, machine.sqlite_version, machine.file_system(path))
    if _pragma(connection, "journal_mode").upper() == mode and _fits(connection, _schema(connection, path)):
        return notice
    turn.acquire(timeout_s=TURN_S)
    try:
        current = _schema(connection, path)
        _set_mode(connection, path, mode, notice)
        if not _fits(connection, current):
            from flowide.store import schema

            schema.migrate(connection, path, current=current)
    finally:
        turn.release()
    return notice


def _fits(connection: Any, version: int) -> bool:
    """Whether the log and the row tables are those of this version."""
    if version != SCHEMA_VERSION:
        return False
    return bool(connection.execute('SELECT "shape" FROM "space"').fetchall() == [(shape(),)])


def open_read_only(path: Path, error: OSError) -> tuple[Any, str]:
    """A connection for reading where nothing can be written, and a line that says so.

    Raises:
        OSError: `error`, when there is no workspace to read.
        StorageFailed: It is none of ours, or of another schema.
    """
    if error.errno not in {errno.EROFS, errno.EACCES, errno.EPERM} or not os.access(path, os.R_OK):
        raise error
    # Nobody can write to a read-only file system, so SQLite need not look for other writers there.
    unchanging = error.errno == errno.EROFS
    address = f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if unchanging else ''}"
    connection = sqlite3.connect(
        address, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_S
    )
    if not _fits(connection, _schema(connection, path)):
        connection.close()
        raise StorageFailed(
            f"{path} is of an older schema, and cannot be brought forward where it is: {error.strerror}",
            hint="Make the file and its folder writable.",
        )
    return connection, f"{path} is read-only here ({error.strerror}): it can be looked at, not worked in"


def _set_mode(connection: Any, path: Path, mode: str, notice: str | None) -> None:
    try:
        [(now,)] = connection.execute(f"PRAGMA journal_mode={mode}").fetchall()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        now = _pragma(connection, "journal_mode")
    if now.upper() == "WAL" and mode == "DELETE":
        raise StorageFailed(
            f"{path} is in use by another process in WAL mode, and here {notice}",
            hint="Close the other process, or use one installation of FlowIDE for both.",
        )


def _schema(connection: Any, path: Path) -> int:
    """The schema version of a workspace; 0 for an empty file."""
    version = int(_pragma(connection, "user_version"))
    if version == 0:
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchall() == [(0,)]
        ours = empty
    else:
        ours = int(_pragma(connection, "application_id")) == APPLICATION_ID
    if not ours:
        raise StorageFailed(
            f"{path} is a database of another program",
            hint="Move the file away; FlowIDE then makes a new one.",
        )
    if version > SCHEMA_VERSION:
        raise StorageFailed(
            f"{path} was written by a newer FlowIDE: schema {version}, known {SCHEMA_VERSION}",
            hint="Update FlowIDE, or open another project.",
            schema=version,
        )
    return version


def _pragma(connection: Any, name: str) -> str:
    return str(connection.execute(f"PRAGMA {name}").fetchall()[0][0])
