"""The SQLite schema, made and migrated with sqlite-utils. Imported only when there is something to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from flowide.domain.events import GENESIS
from flowide.domain.rows import PROJECTIONS, TRANSIENT, Row
from flowide.store.mapping import column_types

Migration = Callable[[Database], None]


def migrate(connection: Any, path: Path, *, current: int) -> None:
    """Bring a database of version `current` to the newest, each step in one transaction with its note.

    An existing database is copied beside itself first, as `workspace.db.v<current>.bak`.
    """
    if current:
        backup = path.with_name(f"{path.name}.v{current}.bak")
        target = sqlite3.connect(backup)
        try:
            target.executescript("".join(f"{line}\n" for line in connection.iterdump()))
        finally:
            target.close()
        backup.chmod(0o600)
    for version, migration in enumerate(MIGRATIONS, start=1):
        if version > current:
            connection.execute("BEGIN IMMEDIATE")
            try:
                migration(Database(connection, execute_plugins=False))
                connection.execute(f"PRAGMA user_version = {version}")
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise


def _first(db: Database) -> None:
    """The log, its counter, replies, blobs, one table for each row class, and the search index."""
    make = db.conn.execute
    make('CREATE TABLE "space" ("id" INTEGER PRIMARY KEY CHECK ("id" = 1), "seq" INTEGER, "chain" TEXT)')
    make('INSERT INTO "space" VALUES (1, 0, ?)', [GENESIS])
    make('CREATE TABLE "events" ("seq" INTEGER PRIMARY KEY, "chain" TEXT NOT NULL, "body" TEXT NOT NULL)')
    make(
        'CREATE TABLE "replies" ("id" TEXT PRIMARY KEY, "body" TEXT NOT NULL, "reply" BLOB NOT NULL, '
        '"wall_ms" INTEGER NOT NULL) WITHOUT ROWID'
    )
    make(
        'CREATE TABLE "blobs" ("sha256" TEXT PRIMARY KEY, "size" INTEGER NOT NULL, "codec" TEXT NOT NULL, '
        '"data" BLOB NOT NULL)'
    )
    for row in (*PROJECTIONS, *TRANSIENT):
        _make_table(db, row)
    make(
        'CREATE VIRTUAL TABLE "texts" USING '
        'fts5("kind" UNINDEXED, "ref" UNINDEXED, "sha256" UNINDEXED, "body")'
    )


def _make_table(db: Database, row: type[Row]) -> None:
    """Small rows live in their key's own tree: one page less to write for each row that changes."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in column_types(row).items())
    key = ", ".join(f'"{name}"' for name in row.KEY)
    db.conn.execute(f'CREATE TABLE "{row.TABLE}" ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID')
    for index in row.INDEXES:
        db.table(row.TABLE).create_index(index)


MIGRATIONS: tuple[Migration, ...] = (_first,)
"""In order; a released one never changes."""
