"""What a transaction shows and takes. The SQL of the hot path is here and in `mapping`."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from flowide.domain.events import Event
from flowide.domain.rows import Row
from flowide.errors import StorageFailed
from flowide.store.api import Position, StoredReply
from flowide.store.mapping import table

R = TypeVar("R", bound=Row)

REPLY_DAYS = 14
_COMPRESS_FROM = 1024


class Reader:
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
        found = self.connection.execute(kept.counting(tuple(equal)), list(equal.values())).fetchone()
        return int(found[0])

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


class Writer(Reader):
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
            values = kept.values(row)
            self.connection.execute(kept.upsert, values)
            self._seen[type(row), kept.key(values)] = row

    def drop(self, rows: Iterable[Row]) -> None:
        for row in rows:
            kept = table(type(row))
            key = kept.key(kept.values(row))
            self.connection.execute(kept.delete, key)
            self._seen[type(row), key] = None

    def put_blob(self, sha256: str, data: bytes) -> None:
        if self.blob_size(sha256) is None:
            codec, packed = _packed(data)
            self.connection.execute(
                'INSERT INTO "blobs" VALUES (?, ?, ?, ?)', (sha256, len(data), codec, packed)
            )

    def reply(self, command_id: str) -> StoredReply | None:
        found = self.connection.execute(
            'SELECT "body", "reply" FROM "replies" WHERE "id" = ?', (command_id,)
        ).fetchone()
        return None if found is None else StoredReply(*found)

    def put_reply(self, command_id: str, stored: StoredReply, wall_ms: int) -> None:
        self.connection.execute(
            'INSERT INTO "replies" VALUES (?, ?, ?, ?)', (command_id, stored.body, stored.reply, wall_ms)
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
            # A full disk may have ended the whole transaction already.
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK TO part")
                self.connection.execute("RELEASE part")
            self._seen.clear()
            self._position, self._appended = before
            raise
        self.connection.execute("RELEASE part")


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
