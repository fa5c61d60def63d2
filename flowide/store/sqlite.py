"""The workspace database. SQL on the hot path is written out here and nowhere else.

Every write takes its turn (`filelock`), then `BEGIN IMMEDIATE`, and commits with `synchronous=FULL`.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from flowide.domain.events import Event
from flowide.domain.rows import Row
from flowide.domain.view import View
from flowide.errors import StorageFailed
from flowide.store.api import Position, StoredReply, Tx
from flowide.store.filelock import WriterTurn
from flowide.store.journal import journal_mode
from flowide.store.mapping import table

try:
    import pysqlite3 as sqlite3
except ImportError:
    import sqlite3

R = TypeVar("R", bound=Row)

SCHEMA_VERSION = 1
BUSY_S = 5.0
REPLY_DAYS = 14
_COMPRESS_FROM = 512


class _Reader:
    """A `View` over a connection; sees one moment while a transaction is open."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def get(self, row: type[R], *key: Any) -> R | None:
        kept = table(row)
        values = self.connection.execute(kept.by_key, key).fetchone()
        return None if values is None else kept.decode(values)

    def find(self, row: type[R], *, order: str = "", limit: int | None = None, **equal: Any) -> list[R]:
        kept = table(row)
        sql = kept.query(tuple(equal), order, limit is not None)
        parameters = [*equal.values(), limit] if limit is not None else list(equal.values())
        return [kept.decode(values) for values in self.connection.execute(sql, parameters)]

    def count(self, row: type[R], **equal: Any) -> int:
        kept = table(row)
        sql = f'SELECT count(*) FROM "{kept.name}"{kept.where(tuple(equal))}'  # noqa: S608
        return int(self.connection.execute(sql, list(equal.values())).fetchone()[0])

    def blob(self, sha256: str) -> bytes | None:
        found = self.connection.execute(
            'SELECT "codec", "data" FROM "blobs" WHERE "sha256" = ?', (sha256,)
        ).fetchone()
        return None if found is None else _unpacked(*found)

    def blob_size(self, sha256: str) -> int | None:
        found = self.connection.execute('SELECT "size" FROM "blobs" WHERE "sha256" = ?', (sha256,)).fetchone()
        return None if found is None else int(found[0])

    def position(self) -> Position:
        seq, chain = self.connection.execute('SELECT "seq", "chain" FROM "space"').fetchone()
        return Position(seq, chain)


class _Writer(_Reader):
    """A `Tx` inside `BEGIN IMMEDIATE`. Keeps the rows it has seen: rules look at some of them twice."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self._seen: dict[tuple[type[Row], tuple[Any, ...]], Row | None] = {}
        self._position: Position | None = None
        self._appended = False

    def get(self, row: type[R], *key: Any) -> R | None:
        try:
            return cast("R | None", self._seen[row, key])
        except KeyError:
            found = self._seen[row, key] = super().get(row, *key)
            return found

    def position(self) -> Position:
        if self._position is None:
            self._position = super().position()
        return self._position

    def append(self, event: Event, body: bytes) -> None:
        self.connection.execute(
            'INSERT INTO "events" VALUES (?, ?, ?)', (event.seq, event.chain, body.decode())
        )
        self._position = Position(event.seq, event.chain)
        self._appended = True

    def put(self, rows: Iterable[Row]) -> None:
        for row in rows:
            kept = table(type(row))
            self.connection.execute(kept.upsert, kept.values(row))
            self._seen[type(row), kept.key(row)] = row

    def drop(self, rows: Iterable[Row]) -> None:
        for row in rows:
            kept = table(type(row))
            key = kept.key(row)
            self.connection.execute(kept.delete, key)
            self._seen[type(row), key] = None

    def put_blob(self, sha256: str, data: bytes) -> None:
        codec, packed = _packed(data)
        self.connection.execute(
            'INSERT OR IGNORE INTO "blobs" VALUES (?, ?, ?, ?)', (sha256, len(data), codec, packed)
        )

    def reply(self, command_id: str) -> StoredReply | None:
        found = self.connection.execute(
            'SELECT "body", "reply" FROM "replies" WHERE "id" = ?', (command_id,)
        ).fetchone()
        return None if found is None else StoredReply(*found)

    def put_reply(self, command_id: str, stored: StoredReply, wall_ms: int) -> None:
        self.connection.execute(
            'INSERT OR REPLACE INTO "replies" VALUES (?, ?, ?, ?)',
            (command_id, stored.body, stored.reply, wall_ms),
        )
        if command_id.endswith("00"):  # about one in 256; ids are ordered by time, so the oldest come first
            self.connection.execute(
                'DELETE FROM "replies" WHERE "id" IN (SELECT "id" FROM "replies" ORDER BY "id" LIMIT 1000) '
                'AND "wall_ms" < ?',
                (wall_ms - REPLY_DAYS * 86_400_000,),
            )

    def finish(self) -> None:
        """Write down where the log stands, once for all events."""
        if self._appended:
            at = self.position()
            self.connection.execute('UPDATE "space" SET "seq" = ?, "chain" = ?', (at.seq, at.chain))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        self.connection.execute("SAVEPOINT part")
        before = (self._position, self._appended)
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK TO part")
            self.connection.execute("RELEASE part")
            self._seen.clear()
            self._position, self._appended = before
            raise
        self.connection.execute("RELEASE part")


class SqliteStore:
    """One space in one SQLite file, shared by the processes of one machine."""

    def __init__(self, path: Path) -> None:
        """Open or make the database.

        Raises:
            StorageFailed: Not a database, a newer schema, no permission, or a file system that cannot lock.
        """
        self.path = path
        self.notice: str | None = None
        """One line for people about how the file is used; None when all is as it should be."""
        with _explained(path):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._turn = WriterTurn(path.with_name(path.name + ".turn"))
        self._using = threading.RLock()
        with _explained(path):
            self._connection = self._connect()
        self._data_version = -1
        self._prepare()

    def _connect(self) -> Any:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_S, cached_statements=256
        )
        mode, self.notice = journal_mode(self.path, sqlite3.sqlite_version_info)
        for pragma in (
            f"journal_mode={mode}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "mmap_size=0",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        return connection

    def _prepare(self) -> None:
        with _explained(self.path):
            version = self._schema_version()
        if version > SCHEMA_VERSION:
            self.close()
            raise StorageFailed(
                f"{self.path} was written by a newer FlowIDE: schema {version}, known {SCHEMA_VERSION}",
                hint="Update FlowIDE, or open another project.",
                schema=version,
            )
        if version == SCHEMA_VERSION:
            return
        self._turn.acquire(timeout_s=BUSY_S * 4)
        try:
            from flowide.store import schema

            with _explained(self.path):
                schema.migrate(self._connection, self.path, current=self._schema_version())
        finally:
            self._turn.release()

    def _schema_version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def write(self) -> AbstractContextManager[Tx]:
        return self._write(waiting=True)

    def try_write(self) -> AbstractContextManager[Tx] | None:
        if not self._using.acquire(blocking=False):
            return None
        try:
            return self._write(waiting=False) if self._turn.try_acquire() else None
        finally:
            self._using.release()

    @contextmanager
    def _write(self, *, waiting: bool) -> Iterator[Tx]:
        if waiting:
            self._turn.acquire(timeout_s=BUSY_S * 4)
        try:
            with self._using, _explained(self.path):
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    tx = _Writer(self._connection)
                    yield tx
                    tx.finish()
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
        finally:
            self._turn.release()

    @contextmanager
    def read(self) -> Iterator[View]:
        with self._using, _explained(self.path):
            if self._connection.in_transaction:
                yield _Reader(self._connection)
                return
            self._connection.execute("BEGIN")
            try:
                yield _Reader(self._connection)
            finally:
                self._connection.execute("COMMIT")

    def position(self) -> Position:
        with self._using, _explained(self.path):
            return _Reader(self._connection).position()

    def events(self, after: int, limit: int) -> list[Event]:
        return [Event(chain=chain, **json.loads(body)) for _, chain, body in self.bodies(after, limit)]

    def bodies(self, after: int, limit: int) -> list[tuple[int, str, bytes]]:
        with self._using, _explained(self.path):
            found = self._connection.execute(
                'SELECT "seq", "chain", "body" FROM "events" WHERE "seq" > ? ORDER BY "seq" LIMIT ?',
                (after, limit),
            ).fetchall()
        return [(seq, chain, body.encode()) for seq, chain, body in found]

    def blob(self, sha256: str) -> bytes | None:
        with self._using, _explained(self.path):
            return _Reader(self._connection).blob(sha256)

    def blob_names(self) -> list[str]:
        with self._using, _explained(self.path):
            return [name for (name,) in self._connection.execute('SELECT "sha256" FROM "blobs"')]

    def changed(self) -> bool:
        with self._using, _explained(self.path):
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        changed = bool(version != self._data_version)
        self._data_version = version
        return changed

    def search(self, text: str, limit: int) -> list[tuple[str, str, str]]:
        from flowide.store.search import search

        return search(self, text, limit)

    def connection(self) -> Any:
        """The open connection, for schema tools and checks of the file itself."""
        return self._connection

    def close(self) -> None:
        with self._using:
            self._connection.close()
            self._turn.close()


def _packed(data: bytes) -> tuple[str, bytes]:
    if len(data) >= _COMPRESS_FROM:
        packed = zlib.compress(data, 1)
        if len(packed) < len(data) * 0.9:
            return "zlib", packed
    return "raw", data


def _unpacked(codec: str, data: bytes) -> bytes:
    try:
        return zlib.decompress(data) if codec == "zlib" else bytes(data)
    except zlib.error as error:
        raise StorageFailed("a stored content is damaged", hint="Run `flowide verify`.") from error


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and the file system into ours."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise _storage_failed(path, error) from error


def _storage_failed(path: Path, error: Exception) -> StorageFailed:
    text = str(error)
    hints = {
        "locked": "Another program keeps the file locked; close it and try again.",
        "full": "Free some space on the disk; nothing was changed, and work goes on when there is room.",
        "readonly": "Make the file and its folder writable.",
        "read-only": "Make the file and its folder writable.",
        "not a database": "Move the file away; FlowIDE then makes a new one.",
        "malformed": "Copy the file, then run `flowide verify`.",
        "Permission": "Make the file and its folder writable.",
        "unable to open": "Check that the folder exists and is writable.",
        "disk I/O": "Check the disk and its free space.",
    }
    hint = next((hint for sign, hint in hints.items() if sign in text), "Check the disk, then try again.")
    return StorageFailed(f"the workspace {path} could not be used: {text}", hint=hint)
