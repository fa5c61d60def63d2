"""What a transaction shows and takes. The SQL of the hot path is here and in `mapping`."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any, TypeVar, cast

from msgspec.structs import astuple

from flowide.domain.events import Event
from flowide.domain.rows import Row
from flowide.errors import StorageFailed
from flowide.store.api import Position, StoredReply
from flowide.store.mapping import table
from flowide.store.remembered import Remembered

R = TypeVar("R", bound=Row)

REPLY_DAYS = 14
_COMPRESS_FROM = 8192
"""Bytes; packing a smaller content costs more time than its pages."""


class Reader:
    """A `View` over a connection; sees one moment while a transaction is open."""

    def __init__(self, cursor: Any) -> None:
        """`cursor` is used for one statement after the other; each is read to its end, so none stays open."""
        self._cursor = cursor
        self.execute = cursor.execute

    @property
    def cursor(self) -> Any:
        """For statements that are made elsewhere."""
        return self._cursor

    def get(self, row: type[R], *key: Any) -> R | None:
        kept = table(row)
        found = self.execute(kept.by_key, key).fetchall()
        return kept.decode(found[0]) if found else None

    def find(self, row: type[R], *, order: str = "", limit: int | None = None, **equal: Any) -> list[R]:
        kept = table(row)
        sql = kept.query(equal, order, limit is not None)
        parameters = [value for value in equal.values() if value is not None]
        if limit is not None:
            parameters.append(limit)
        return [kept.decode(values) for values in self.execute(sql, parameters).fetchall()]

    def count(self, row: type[R], **equal: Any) -> int:
        kept = table(row)
        parameters = [value for value in equal.values() if value is not None]
        [(found,)] = self.execute(kept.counting(equal), parameters).fetchall()
        return int(found)

    def blob(self, sha256: str) -> bytes | None:
        found = self.execute('SELECT "codec", "data" FROM "blobs" WHERE "sha256" = ?', (sha256,)).fetchall()
        return unpacked(*found[0]) if found else None

    def blob_size(self, sha256: str) -> int | None:
        found = self.execute('SELECT "size" FROM "blobs" WHERE "sha256" = ?', (sha256,)).fetchall()
        return int(found[0][0]) if found else None

    def position(self) -> Position:
        [(seq, chain)] = self.execute('SELECT "seq", "chain" FROM "space"').fetchall()
        return Position(seq, chain)


class Writer(Reader):
    """A `Tx` inside a transaction that excludes other writers of the space.

    Keeps the rows it has seen: rules look at some of them twice.
    """

    def __init__(self, cursor: Any, remembered: Remembered | None = None) -> None:
        """`cursor.send` takes statements that give nothing back; without it they are executed like the others.

        `remembered` = what earlier transactions left, and what this one leaves when it is committed.
        """
        super().__init__(cursor)
        self._before = Remembered() if remembered is None else remembered
        self.send = getattr(cursor, "send", cursor.execute)
        self._seen: dict[tuple[type[Row], tuple[Any, ...]], Row | None] = {}
        self._found: dict[type[Row], dict[Any, list[Any]]] = {}
        self._position = self._before.position
        self._appended = False
        self._emptied: frozenset[type[Row]] = frozenset()
        self._written_past = False

    @property
    def cursor(self) -> Any:
        """For statements that are made elsewhere: nobody knows here what they write."""
        self._written_past = True
        return self._cursor

    @property
    def appended(self) -> bool:
        """Whether an event was written."""
        return self._appended

    @property
    def remembered(self) -> int:
        """How many rows are kept."""
        return len(self._seen)

    def begins_empty(self, rows: Iterable[type[Row]]) -> None:
        """The tables of these are empty: until `forget`, what was not put here is not there, and is not asked for."""
        self._emptied = frozenset(rows)

    def get(self, row: type[R], *key: Any) -> R | None:
        place = (row, key)
        if place in self._seen:
            return cast("R | None", self._seen[place])
        if row in self._emptied:
            return None
        if place in self._before.rows:
            known = self._seen[place] = self._before.rows[place]
            return cast("R | None", known)
        kept = table(row)
        values = self.execute(kept.by_key, key).fetchall()
        found = self._seen[place] = kept.decode(values[0]) if values else None
        return found

    def find(self, row: type[R], *, order: str = "", limit: int | None = None, **equal: Any) -> list[R]:
        asked = (order, limit, *equal.items())
        known = self._found.setdefault(row, {})
        try:
            return list(known[asked])
        except KeyError:
            found = known[asked] = super().find(row, order=order, limit=limit, **equal)
            return list(found)

    def knows(self, row: type[R], key: tuple[Any, ...], found: R | None) -> None:
        """A row was looked up already."""
        self._seen[row, key] = found

    def knows_all(self, row: type[R], order: str, equal: dict[str, Any], found: list[R]) -> None:
        """What `find` will give was looked up already."""
        self._found.setdefault(row, {})[order, None, *equal.items()] = found

    def position(self) -> Position:
        if self._position is None:
            self._position = super().position()
        return self._position

    def append(self, event: Event, body: bytes) -> None:
        self.send('INSERT INTO "events" VALUES (?, ?, ?)', (event.seq, event.chain, body.decode()))
        self._position = Position(event.seq, event.chain)
        self._appended = True

    def put(self, rows: Iterable[Row]) -> None:
        for row in rows:
            kind = type(row)
            kept = table(kind)
            raw = astuple(row)
            key = kept.key(raw)
            before = self._seen.get((kind, key))
            if before is None:
                self.send(kept.upsert, kept.values(raw))
            else:
                # Columns that stay are not written, nor are their indexes.
                self.send(*kept.update(astuple(before), raw, key))
            self._seen[kind, key] = row
            self._found.pop(kind, None)

    def drop(self, rows: Iterable[Row]) -> None:
        for row in rows:
            kept = table(type(row))
            key = kept.key(astuple(row))
            self.send(kept.delete, key)
            self._seen[type(row), key] = None
            self._found.pop(type(row), None)

    def put_blob(self, sha256: str, data: bytes) -> None:
        if len(data) < _COMPRESS_FROM or self.blob_size(sha256) is None:
            codec, packed = _packed(data)
            self.send(
                'INSERT INTO "blobs" VALUES (?, ?, ?, ?) ON CONFLICT ("sha256") DO NOTHING',
                (sha256, len(data), codec, packed),
            )

    def reply(self, command_id: str) -> StoredReply | None:
        found = self.execute('SELECT "body", "reply" FROM "replies" WHERE "id" = ?', (command_id,)).fetchall()
        return StoredReply(*found[0]) if found else None

    def forget(self) -> None:
        self._seen.clear()
        self._before.forget()
        self._found.clear()
        self._emptied = frozenset()

    def put_reply(self, command_id: str, stored: StoredReply, wall_ms: int) -> None:
        self.send(
            'INSERT INTO "replies" VALUES (?, ?, ?, ?, ?)',
            (command_id, stored.body, stored.reply, wall_ms, seal(command_id, stored, wall_ms)),
        )
        if command_id.endswith("00"):  # about one in 256
            oldest_ms = max(0, wall_ms - REPLY_DAYS * 86_400_000)
            # Ids start with their time (UUIDv7), so the old ones are together.
            before = f"{oldest_ms >> 16:08x}-{oldest_ms & 0xFFFF:04x}"
            self.send(
                'DELETE FROM "replies" WHERE "id" IN '
                '(SELECT "id" FROM "replies" WHERE "id" < ? AND "wall_ms" < ? ORDER BY "id" LIMIT 1000)',
                (before, oldest_ms),
            )

    def finish(self) -> None:
        """Write down where the log stands, once for all events."""
        if self._appended:
            at = self.position()
            self.send('UPDATE "space" SET "seq" = ?, "chain" = ?', (at.seq, at.chain))

    def committed(self) -> None:
        """What this transaction has seen and written holds for the next one."""
        if self._written_past:
            self._before.forget()
        else:
            self._before.keep(self._seen, self._position)

    def lost(self) -> None:
        """The transaction could not be committed."""
        self._before.forget()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        self.send("SAVEPOINT part")
        before = (self._position, self._appended)
        try:
            yield
        except BaseException:
            if self._undoable():
                self.send("ROLLBACK TO part")
                self.send("RELEASE part")
            self.forget()
            self._position, self._appended = before
            raise
        self.send("RELEASE part")

    def _undoable(self) -> bool:
        """Whether the transaction is still there; a full disk may have ended all of it already."""
        return bool(self._cursor.connection.in_transaction)


def seal(command_id: str, stored: StoredReply, wall_ms: int) -> str:
    """A sum over a stored reply, in 16 hex digits."""
    said = f"{command_id} {stored.body} {wall_ms} ".encode() + stored.reply
    return blake2b(said, digest_size=8).hexdigest()


def _packed(data: bytes) -> tuple[str, bytes]:
    if len(data) >= _COMPRESS_FROM:
        packed = zlib.compress(data, 1)
        if len(packed) < len(data) * 0.9:
            return "zlib", packed
    return "raw", data


def unpacked(codec: str, data: bytes) -> bytes:
    """The bytes of a stored content.

    Raises:
        StorageFailed: It is damaged.
    """
    try:
        if codec == "zlib":
            return zlib.decompress(data)
        if codec != "raw":
            raise ValueError(f"no codec {codec}")
        return bytes(data)
    except (zlib.error, ValueError, TypeError) as error:
        raise StorageFailed("a stored content is damaged", hint="Run `flowide verify`.") from error
