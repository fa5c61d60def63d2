"""The SQLite schema. Imported only when there is something to do; old tables are made to fit with sqlite-utils.

The log, replies and blobs change by the migrations at the end of this file, in order. The tables of rows need none:
they are made to fit the row classes, and those that are projections are folded from the log again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowide.domain.events import GENESIS
from flowide.domain.rows import PROJECTIONS, TRANSIENT, Row
from flowide.store.api import StoredReply
from flowide.store.mapping import column_types
from flowide.store.opening import APPLICATION_ID
from flowide.store.rebuild import rebuild
from flowide.store.search import MAKE_WORDS
from flowide.store.shape import shape
from flowide.store.views import Writer, seal

if TYPE_CHECKING:
    from sqlite_utils import Database

Migration = Callable[[Any], None]
"""Gets the connection, inside a transaction."""
Step = tuple[Migration, int | None]
"""With the version that it makes; None = it makes none."""


def migrate(connection: Any, path: Path, *, current: int) -> None:
    """Bring a database of version `current` to the newest, each step in one transaction with its note.

    An existing database is copied beside itself first, as `workspace.db.v<current>.bak`. Called with the newest
    version, it only makes the row tables fit. A new database is made in one transaction.
    """
    steps: list[Step] = [(each, at) for at, each in enumerate(MIGRATIONS, start=1) if at > current]
    if not current:
        _carry_out(connection, *steps, (make_tables, None))
        return
    _back_up(connection, path.with_name(f"{path.name}.v{current}.bak"))
    for step in steps:
        _carry_out(connection, step)
    _carry_out(connection, (fit_tables, None))


def _back_up(connection: Any, backup: Path) -> None:
    backup.unlink(missing_ok=True)
    os.close(os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection.execute("VACUUM INTO ?", (str(backup),))


def _carry_out(connection: Any, *steps: Step) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration, version in steps:
            migration(connection)
            if version is not None:
                connection.execute(
                    'INSERT INTO "migrations" ("version", "name") VALUES (?, ?)',
                    (version, migration.__name__),
                )
                connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def first_schema(connection: Any) -> None:
    """The log, its counter, replies and blobs."""
    make = connection.execute
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


def shape_of_tables(connection: Any) -> None:
    """Where it is noted which row tables there are, see `shape`."""
    connection.execute('ALTER TABLE "space" ADD COLUMN "shape" TEXT NOT NULL DEFAULT \'\'')


def seals_of_replies(connection: Any) -> None:
    """Stored replies get a sum by which `verify` notices that one was changed."""
    connection.execute('ALTER TABLE "replies" ADD COLUMN "seal" TEXT')


def search_that_follows_the_log(connection: Any) -> None:
    """Words of all texts, without the texts, and up to which event they are there."""
    make = connection.execute
    make('DROP TABLE IF EXISTS "texts_fts"')
    make('DROP TABLE IF EXISTS "texts"')
    make(
        'CREATE TABLE "texts" ("id" INTEGER PRIMARY KEY, "kind" TEXT NOT NULL, "owner" TEXT NOT NULL, '
        '"number" INTEGER NOT NULL, "sha256" TEXT, "newest" INTEGER NOT NULL)'
    )
    make('CREATE INDEX "texts_newest" ON "texts" ("owner") WHERE "newest" = 1')
    make(MAKE_WORDS)
    make('ALTER TABLE "space" ADD COLUMN "indexed" INTEGER NOT NULL DEFAULT 0')


def marks_that_can_be_checked(connection: Any) -> None:
    """What `verify` could not hold against anything else: the time of a migration goes, the mark of the search gets its
    event's chain, and every stored reply its seal."""
    make = connection.execute
    make('ALTER TABLE "migrations" DROP COLUMN "applied"')
    make(f'ALTER TABLE "space" ADD COLUMN "indexed_chain" TEXT NOT NULL DEFAULT \'{GENESIS}\'')
    make(
        'UPDATE "space" SET "indexed_chain" = "chain_then" FROM (SELECT "chain" AS "chain_then" FROM "events" '
        'WHERE "seq" = (SELECT "indexed" FROM "space"))'
    )
    unsealed = make('SELECT "id", "body", "reply", "wall_ms" FROM "replies" WHERE "seal" IS NULL').fetchall()
    for id, body, reply, wall_ms in unsealed:
        sum_ = seal(id, StoredReply(body, bytes(reply)), wall_ms)
        make('UPDATE "replies" SET "seal" = ? WHERE "id" = ?', (sum_, id))


def make_tables(connection: Any) -> None:
    """The row tables of a new database: without sqlite-utils, whose import takes longer than all the rest."""
    for row in (*PROJECTIONS, *TRANSIENT):
        make_table(connection, row)
    connection.execute('UPDATE "space" SET "shape" = ?', [shape()])


def fit_tables(connection: Any) -> None:
    """Make the row tables what the row classes say."""
    from sqlite_utils import Database

    db = Database(connection, execute_plugins=False)
    changed = [row for row in PROJECTIONS if _replace(db, row, keep=False)]
    for row in TRANSIENT:
        _replace(db, row, keep=True)
    if changed:
        rebuild(db.conn.cursor())
    db.conn.execute('UPDATE "space" SET "shape" = ?', [shape()])


def _replace(db: Database, row: type[Row], *, keep: bool) -> bool:
    """Whether the table had to be made; `keep` takes over what the old one holds, in the columns both have."""
    wanted = column_types(row)
    table = db.table(row.TABLE)
    have = {column.name: column.type for column in table.columns} if table.exists() else {}
    indexes = {tuple(index.columns) for index in table.indexes if index.origin == "c"} if have else set()
    if have == wanted and indexes == set(row.INDEXES) and tuple(table.pks) == row.KEY:
        return False
    old = f"{row.TABLE}_before"
    if have:
        for index in table.xindexes:
            if not index.name.startswith("sqlite_"):
                db.conn.execute(f'DROP INDEX "{index.name}"')
        db.conn.execute(f'ALTER TABLE "{row.TABLE}" RENAME TO "{old}"')
    make_table(db.conn, row)
    if have:
        shared = [name for name in wanted if name in have]
        if keep and set(row.KEY) <= set(shared):
            _take_over(db, row, old, shared)
        db.conn.execute(f'DROP TABLE "{old}"')
    return True


def _take_over(db: Database, row: type[Row], old: str, shared: list[str]) -> None:
    names = ", ".join(f'"{name}"' for name in shared)
    put = Writer(db.conn.cursor()).put
    for values in db.conn.execute(f'SELECT {names} FROM "{old}"').fetchall():  # noqa: S608 - our own names
        with suppress(TypeError):  # a new column without a default: the row cannot go on
            put([row(**dict(zip(shared, values, strict=True)))])


def make_table(connection: Any, row: type[Row]) -> None:
    """A table for a row class.

    Small rows live in their key's own tree: one page less to write for each row that changes.
    """
    columns = ", ".join(f'"{name}" {kind}' for name, kind in column_types(row).items())
    key = ", ".join(f'"{name}"' for name in row.KEY)
    connection.execute(f'CREATE TABLE "{row.TABLE}" ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID')
    for index in row.INDEXES:
        over = ", ".join(f'"{name}"' for name in index)
        connection.execute(f'CREATE INDEX "idx_{row.TABLE}_{"_".join(index)}" ON "{row.TABLE}" ({over})')


MIGRATIONS: tuple[Migration, ...] = (
    first_schema,
    shape_of_tables,
    seals_of_replies,
    search_that_follows_the_log,
    marks_that_can_be_checked,
)
"""In order; a released one never changes. `opening.SCHEMA_VERSION` is how many there are."""
