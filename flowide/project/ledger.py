"""Which version stood in each file when it was last in step: tells a file that lags behind from one that was edited.

It is local to the folder and only a memory: without it the log and the files are still whole, and the times of
files have to tell. So a ledger that cannot be read is made anew, and one that cannot be written is left behind.
"""

from __future__ import annotations

import os
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from flowide.store.explained import sqlite3
from flowide.store.opening import make_private

_RACY_NS = 50_000_000
"""A file that changed less than this before it was read may change again without its times telling."""


class Seen(Struct, frozen=True):
    """What a file held when it was last in step."""

    version: int
    sha256: str
    stamp: str
    """See `stamp_of`; empty when it proves nothing."""


class Ledger:
    """One row for each artifact whose file was in step once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database: Any | None = None

    def get(self, artifact: str) -> Seen | None:
        """What is known of an artifact's file, or None."""
        with suppress(sqlite3.Error):
            row = self._open().execute(
                "SELECT version, sha256, stamp FROM seen WHERE artifact = ?", (artifact,)
            )
            found = row.fetchone()
            return None if found is None else Seen(*found)
        return None

    def stamps(self) -> dict[str, str]:
        """The stamp of each artifact's file; empty ones prove nothing."""
        with suppress(sqlite3.Error):
            return dict(self._open().execute("SELECT artifact, stamp FROM seen").fetchall())
        return {}

    def all(self) -> dict[str, Seen]:
        """What is known of every file that was in step once, by artifact."""
        with suppress(sqlite3.Error):
            rows = self._open().execute("SELECT artifact, version, sha256, stamp FROM seen").fetchall()
            return {artifact: Seen(version, sha256, stamp) for artifact, version, sha256, stamp in rows}
        return {}

    def note(self, artifact: str, version: int, sha256: str, stamp: str = "") -> None:
        """Remember that the file holds this version."""
        with suppress(sqlite3.Error):
            self._open().execute(
                "INSERT INTO seen VALUES (?, ?, ?, ?) ON CONFLICT (artifact) DO UPDATE SET "
                "version = excluded.version, sha256 = excluded.sha256, stamp = excluded.stamp",
                (artifact, version, sha256, stamp),
            )

    def _open(self) -> Any:
        if self._database is None:
            try:
                self._database = _opened(self._path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                with suppress(OSError):
                    self._path.unlink()  # it was no ledger
                self._database = _opened(self._path)
            weakref.finalize(self, self._database.close)
        return self._database


def stamp_of(status: os.stat_result) -> str:
    """What changes whenever a file's bytes do: nobody can set the time of its last change (ctime).

    Empty when the file changed so recently that it could change again within one tick of its clock.
    """
    if time.time_ns() - status.st_ctime_ns < _RACY_NS:
        return ""
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def _opened(path: Path) -> Any:
    with suppress(OSError):  # SQLite then says what is wrong
        make_private(path)
    # One process writes at a time (see `turn`), and what a power failure takes costs only time.
    database = sqlite3.connect(path, timeout=2.0, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA journal_mode = MEMORY")
        database.execute(
            "CREATE TABLE IF NOT EXISTS seen (artifact TEXT PRIMARY KEY, version INTEGER NOT NULL, "
            "sha256 TEXT NOT NULL, stamp TEXT NOT NULL) WITHOUT ROWID"
        )
        database.execute("SELECT version, sha256, stamp FROM seen LIMIT 1")
    except BaseException:
        database.close()
        raise
    return database
