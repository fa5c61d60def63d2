"""The tables, and how a database of an earlier version is brought forward.

One table holds the rows of all spaces, with the number of the space first in its key. A schema for each space would
be sixty relations for each of many small spaces: slow to make, plans and caches for each of them, and a migration that
takes as long as there are spaces. So a new space is one row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from flowide.domain.rows import PROJECTIONS, TRANSIENT, Row
from flowide.errors import StorageFailed
from flowide.store.mapping import column_types
from flowide.store.shape import shape

SCHEMA = "flowide"
PATIENCE_S = 3600.0
"""Longest time that one step of a migration may take."""
_TURN = (
    "BEGIN",
    "SET LOCAL lock_timeout = 0",
    "SELECT pg_advisory_xact_lock(5068287133)",
    "SET LOCAL lock_timeout = '15s'",
    "SET LOCAL idle_in_transaction_session_timeout = '10min'",
)
"""One program at a time brings the tables forward, and takes its time to fold long logs again."""
_TEXT = 'text COLLATE "C"'
_TYPES = {"INTEGER": "bigint", "TEXT": _TEXT}
_THERE = (
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'flowide' AND tablename = 'meta')"
)
"""Not `to_regclass`: that may remember that there was no such table from before another program made it."""
_STATE = "SELECT version, shape FROM flowide.meta"


class Session(Protocol):
    """What is needed of a connection."""

    def run(self, statements: Sequence[tuple[str, Sequence[Any]]], *, patience_s: float = ...) -> list[Any]:
        """The rows of each statement."""
        ...


Migration = Callable[[Session], None]


def fits(session: Session) -> bool:
    """Whether the tables are those of this version.

    Raises:
        StorageFailed: They are of a newer one.
    """
    [[(known,)]] = session.run([(_THERE, ())])
    if not known:
        return False
    [[(version, form)]] = session.run([(_STATE, ())])
    if version > len(MIGRATIONS):
        raise StorageFailed(
            f"the database was written by a newer FlowIDE: schema {version}, known {len(MIGRATIONS)}",
            hint="Update FlowIDE on this machine.",
            schema=version,
        )
    return bool(version == len(MIGRATIONS) and form == shape())


def migrate(
    session: Session, rebuild: Callable[[Session, int], None], grant_again: Callable[[Session], None]
) -> None:
    """Bring the tables to those of this version, all in one transaction.

    `rebuild` folds one space's log again, `grant_again` gives hubs the rights they had on tables that were made anew.

    Needs the right to make tables. Whoever comes second waits, and finds it done.
    """
    run = session.run
    run([(each, ()) for each in _TURN], patience_s=PATIENCE_S)
    try:
        if not fits(session):
            _bring_forward(session, rebuild)
            grant_again(session)
        run([("COMMIT", ())])
    except BaseException:
        # The connection may be gone, and the transaction with it.
        if not getattr(session, "broken", False):
            run([("ROLLBACK", ())])
        raise


def _bring_forward(session: Session, rebuild: Callable[[Session, int], None]) -> None:
    [[(exists,)]] = session.run([(_THERE, ())])
    version = session.run([(_STATE, ())])[0][0][0] if exists else 0
    for at, migration in enumerate(MIGRATIONS[version:], start=version + 1):
        migration(session)
        session.run(
            [("INSERT INTO flowide.migrations VALUES ($1, $2, now()::text)", (at, migration.__name__))]
        )
    changed = [row for row in PROJECTIONS if _replace(session, row, keep=False)]
    for row in TRANSIENT:
        _replace(session, row, keep=True)
    if version and changed:
        for (space,) in session.run([('SELECT "space" FROM flowide.space ORDER BY "space"', ())])[0]:
            rebuild(session, space)
    session.run(
        [
            ("UPDATE flowide.meta SET version = $1, shape = $2", (len(MIGRATIONS), shape())),
            ('UPDATE flowide.space SET "shape" = $1', (shape(),)),
        ]
    )


def first_schema(session: Session) -> None:
    """Spaces with their counters, the log, replies, blobs, and the words of texts.

    Contents are packed by us, so PostgreSQL stores them as they are. The row of a space is written by every
    transaction, so its page keeps room for the next versions of it.
    """
    for sql in (
        "CREATE SCHEMA IF NOT EXISTS flowide",
        "CREATE TABLE flowide.meta (version int NOT NULL, shape text NOT NULL)",
        "INSERT INTO flowide.meta VALUES (0, '')",
        "CREATE TABLE flowide.hubs (role name PRIMARY KEY)",
        f"CREATE TABLE flowide.migrations (version int PRIMARY KEY, name {_TEXT} NOT NULL, applied text NOT NULL)",
        f'CREATE TABLE flowide.space ("space" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "name" {_TEXT} UNIQUE, '
        f'"seq" bigint NOT NULL, "chain" {_TEXT} NOT NULL, "tick" bigint NOT NULL DEFAULT 0, '
        f'"indexed" bigint NOT NULL DEFAULT 0, "shape" text NOT NULL) WITH (fillfactor = 20)',
        f'CREATE TABLE flowide.events ("space" int, "seq" bigint, "chain" {_TEXT} NOT NULL, "body" {_TEXT} NOT NULL, '
        'PRIMARY KEY ("space", "seq"))',
        f'CREATE TABLE flowide.replies ("space" int, "id" {_TEXT}, "body" {_TEXT} NOT NULL, "reply" bytea NOT NULL, '
        f'"wall_ms" bigint NOT NULL, "seal" {_TEXT}, PRIMARY KEY ("space", "id"))',
        f'CREATE TABLE flowide.blobs ("space" int, "sha256" {_TEXT}, "size" bigint NOT NULL, "codec" {_TEXT} NOT NULL, '
        '"data" bytea NOT NULL, PRIMARY KEY ("space", "sha256"))',
        'ALTER TABLE flowide.blobs ALTER COLUMN "data" SET STORAGE EXTERNAL',
        f'CREATE TABLE flowide.texts ("space" int, "kind" {_TEXT}, "owner" {_TEXT}, "number" bigint, "sha256" {_TEXT}, '
        '"newest" bigint NOT NULL, "words" tsvector NOT NULL, PRIMARY KEY ("space", "kind", "owner", "number"))',
        'CREATE INDEX texts_newest ON flowide.texts ("space", "owner") WHERE "newest" = 1',
        'CREATE INDEX texts_words ON flowide.texts USING gin ("words")',
    ):
        session.run([(sql, ())])


MIGRATIONS: tuple[Migration, ...] = (first_schema,)
"""In order; a released one never changes."""


def _replace(session: Session, row: type[Row], *, keep: bool) -> bool:
    """Whether the table had to be made; `keep` takes over what the old one holds, in the columns both have."""
    table = f'flowide."{row.TABLE}"'
    wanted = {"space": "integer", **{name: _TYPES[kind] for name, kind in column_types(row).items()}}
    [have] = session.run(
        [
            (
                "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute "
                "WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                (table,),
            )
        ]
    )
    found = {name: _TEXT if kind == "text" else kind for name, kind in have}
    [indexes] = session.run(
        [
            (
                "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = to_regclass($1) ORDER BY 1",
                (table,),
            )
        ]
    )
    names = sorted([f'"pk_{row.TABLE}"', *(f'"{_index(row, each)}"' for each in row.INDEXES)])
    if found == wanted and sorted(f'"{name.split(".")[-1].strip(chr(34))}"' for (name,) in indexes) == names:
        return False
    old = f"{row.TABLE}_before"
    if found:
        session.run([(f'ALTER TABLE {table} RENAME TO "{old}"', ())])
        for (name,) in indexes:
            bare = name.split(".")[-1].strip('"')
            session.run([(f'ALTER INDEX flowide."{bare}" RENAME TO "{bare}_before"', ())])
    make_table(session, row)
    if found:
        shared = ", ".join(f'"{name}"' for name in wanted if name in found)
        if keep and {"space", *row.KEY} <= set(found):
            session.run(
                [(f'INSERT INTO {table} ({shared}) SELECT {shared} FROM flowide."{old}"', ())],  # noqa: S608 - our names
                patience_s=PATIENCE_S,
            )
        session.run([(f'DROP TABLE flowide."{old}"', ())])
    return True


def make_table(session: Session, row: type[Row]) -> None:
    """A table for a row class. Rows that change in place keep room on their page for it."""
    columns = ", ".join(f'"{name}" {_TYPES[kind]}' for name, kind in column_types(row).items())
    key = ", ".join(f'"{name}"' for name in row.KEY)
    session.run(
        [
            (
                f'CREATE TABLE flowide."{row.TABLE}" ("space" int, {columns}, '
                f'CONSTRAINT "pk_{row.TABLE}" PRIMARY KEY ("space", {key})) WITH (fillfactor = 80)',
                (),
            )
        ]
    )
    for index in row.INDEXES:
        over = ", ".join(f'"{name}"' for name in index)
        session.run([(f'CREATE INDEX "{_index(row, index)}" ON flowide."{row.TABLE}" ("space", {over})', ())])


def _index(row: type[Row], columns: tuple[str, ...]) -> str:
    return f"idx_{row.TABLE}_{'_'.join(columns)}"
