"""The SQLite schema, made and migrated with sqlite-utils. Imported only when there is something to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from flowide.domain.events import GENESIS
from flowide.domain.rows import PROJECTIONS, TRANSIENT, Row
from flowide.store.mapping import column_types
from flowide.store.opening import APPLICATION_ID

Migration = Callable[[Database], None]


def migrate(connection: Any, path: Path, *, current: int) -> None:
    """Bring a database of version `current` to the newest, each step in one transaction with its note.

    An existing database is copied beside itself first, as `workspace.db.v<current>.bak`.
    """
    if current:
        _back_up(connection, path.with_name(f"{path.name}.v{current}.bak"))
    for version, migration in enumerate(MIGRATIONS, start=1):
        if version > current:
            _carry_out(connection, migration, version)


def _back_up(connection: Any, backup: Path) -> None:
    backup.unlink(missing_ok=True)
    os.close(os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection.execute("VACUUM INTO ?", (str(backup),))


def _carry_out(connection: Any, migration: Migration, version: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        migration(Database(connection, execute_plugins=False))
        connection.execute(
            'INSERT INTO "migrations" VALUES (?, ?, ?)',
            (version, migration.__name__, datetime.now(UTC).isoformat(timespec="seconds")),
        )
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def first_schema(db: Database) -> None:
    """The log, its counter, replies, blobs, one table for each row class, and the search index."""
    make = db.conn.execute
    make(f"PRAGMA application_id = {APPLICATION_ID}")
    make('CREATE TABLE "migrations" ("version" INTEGER PRIMARY KEY, "name" TEXT, "applied" TEXT)')
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
        make_table(db, row)
    db.table("texts").create(
        {"kind": str, "ref": str, "sha256": str, "body": str}, pk=("kind", "ref"), not_null={"sha256"}
    )
    db.table("texts").enable_fts(["body"], create_triggers=True, tokenize="unicode61")


def make_table(db: Database, row: type[Row]) -> None:
    """A table for a row class.

    Small rows live in their key's own tree: one page less to write for each row that changes.
    """
    columns = ", ".join(f'"{name}" {kind}' for name, kind in column_types(row).items())
    key = ", ".join(f'"{name}"' for name in row.KEY)
    db.conn.execute(f'CREATE TABLE "{row.TABLE}" ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID')
    for index in row.INDEXES:
        db.table(row.TABLE).create_index(index)


MIGRATIONS: tuple[Migration, ...] = (first_schema,)
"""In order; a released one never changes."""
