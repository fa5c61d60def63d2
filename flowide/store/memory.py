"""A store in dicts: for tests, and the reference of what a store does."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, TypeVar

from flowide.domain.events import GENESIS, Event
from flowide.domain.rows import PROJECTIONS, Row
from flowide.domain.view import View
from flowide.errors import StorageFailed
from flowide.store.api import Expected, Position, Store, StoredReply, Threads, Tx
from flowide.store.texts import Found, Text, body_of, found, holds, text_of_event, tokens

R = TypeVar("R", bound=Row)
Key = tuple[Any, ...]


def key_of(row: Row) -> Key:
    """Primary key of a row."""
    return tuple(getattr(row, name) for name in row.KEY)


class _State:
    def __init__(self) -> None:
        self.rows: dict[type[Row], dict[Key, Row]] = {}
        self.blobs: dict[str, bytes] = {}
        self.replies: dict[str, tuple[StoredReply, int]] = {}
        self.log: list[tuple[Event, bytes]] = []


class _MemoryTx:
    def __init__(self, state: _State) -> None:
        self.state = state
        self.undo: list[Callable[[], object]] = []

    def get(self, row: type[R], *key: Any) -> R | None:
        found = self.state.rows.get(row, {}).get(key)
        return found if isinstance(found, row) else None

    def find(self, row: type[R], *, order: str = "", limit: int | None = None, **equal: Any) -> list[R]:
        found = [
            each
            for each in self.state.rows.get(row, {}).values()
            if isinstance(each, row) and all(getattr(each, name) == value for name, value in equal.items())
        ]
        if order:
            found.sort(key=lambda each: getattr(each, order.lstrip("-")), reverse=order.startswith("-"))
        return found[:limit]

    def count(self, row: type[R], **equal: Any) -> int:
        return len(self.find(row, **equal))

    def blob(self, sha256: str) -> bytes | None:
        return self.state.blobs.get(sha256)

    def blob_size(self, sha256: str) -> int | None:
        data = self.state.blobs.get(sha256)
        return None if data is None else len(data)

    def position(self) -> Position:
        if not self.state.log:
            return Position(0, GENESIS)
        event = self.state.log[-1][0]
        return Position(event.seq, event.chain)

    def append(self, event: Event, body: bytes) -> None:
        self.state.log.append((event, body))
        self.undo.append(self.state.log.pop)

    def put(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._set(self.state.rows.setdefault(type(row), {}), key_of(row), row)

    def drop(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._set(self.state.rows.setdefault(type(row), {}), key_of(row), None)

    def put_blob(self, sha256: str, data: bytes) -> None:
        if sha256 not in self.state.blobs:
            self._set(self.state.blobs, sha256, data)

    def reply(self, command_id: str) -> StoredReply | None:
        found = self.state.replies.get(command_id)
        return None if found is None else found[0]

    def forget(self) -> None:
        """Nothing is remembered beside the rows."""

    def put_reply(self, command_id: str, stored: StoredReply, wall_ms: int) -> None:
        self._set(self.state.replies, command_id, (stored, wall_ms))

    def _set(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        before = table.get(key)
        self.undo.append(partial(_restore, table, key, before))
        _restore(table, key, value)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        mark = len(self.undo)
        try:
            yield
        except BaseException:
            while len(self.undo) > mark:
                self.undo.pop()()
            raise


def _restore(table: dict[Any, Any], key: Any, value: Any) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


class MemoryStore:
    """Keeps a space in memory, for as long as the process lives."""

    def __init__(self) -> None:
        self.notice: str | None = None
        self.threads: Threads | None = None
        self._state = _State()
        self._lock = threading.RLock()
        self._commits = 0

    def time(self) -> tuple[int, str] | None:
        return None

    def write(self, expected: Expected | None = None, *, lasting: bool = True) -> AbstractContextManager[Tx]:
        return self._write()

    def try_write(self, *, lasting: bool = True) -> AbstractContextManager[Tx] | None:
        return self._write()

    def sync(self) -> None:
        """Nothing lasts longer than the program."""

    @contextmanager
    def _write(self) -> Iterator[Tx]:
        with self._lock:
            tx = _MemoryTx(self._state)
            with tx.savepoint():
                yield tx
            self._commits += 1

    @contextmanager
    def read(self) -> Iterator[View]:
        with self._lock:
            yield _MemoryTx(self._state)

    def position(self) -> Position:
        return _MemoryTx(self._state).position()

    def events(self, after: int, limit: int) -> list[Event]:
        log = self._state.log
        start = bisect_right(log, after, key=lambda entry: entry[0].seq)
        return [event for event, _ in log[start : start + limit]]

    def bodies(self, after: int, limit: int) -> list[tuple[int, str, bytes]]:
        log = self._state.log
        start = bisect_right(log, after, key=lambda entry: entry[0].seq)
        return [(event.seq, event.chain, body) for event, body in log[start : start + limit]]

    def blob(self, sha256: str) -> bytes | None:
        return self._state.blobs.get(sha256)

    def replies(self, after: str, limit: int) -> list[tuple[str, StoredReply, int]]:
        ids = sorted(id for id in self._state.replies if id > after)[:limit]
        return [(id, *self._state.replies[id]) for id in ids]

    def blob_names(self) -> list[str]:
        return list(self._state.blobs)

    def rows(self, row: type[R]) -> Iterator[R]:
        yield from _MemoryTx(self._state).find(row)

    def take(self, row: type[Row]) -> dict[Key, Row]:
        """All rows of a class by key, which are then no longer here."""
        return self._state.rows.pop(row, {})

    def damage(self) -> list[str]:
        return []

    def rebuild(self) -> None:
        from flowide.store.projections import BrokenLog, project

        with self._write() as tx:
            for kind in PROJECTIONS:
                tx.drop(tx.find(kind))
            try:
                for event, _ in self._state.log:
                    changes = project(tx, event)
                    tx.drop(changes.drop)
                    tx.put(changes.put)
            except BrokenLog as error:
                raise StorageFailed(
                    f"the log cannot be folded: {error}", hint="Run `flowide verify`."
                ) from error

    def change_token(self) -> int:
        return self._commits

    def change_elsewhere(self) -> int:
        return 0

    def on_change(self, told: Callable[[], None]) -> None:
        """The token is looked at."""

    @contextmanager
    def aside(self) -> Iterator[Store]:
        yield self

    def search(self, text: str, limit: int, *, history: bool = False) -> list[Found]:
        words = [word for word in text.split() if tokens(word)]
        texts: dict[tuple[str, str, int], Text] = {}
        newest: dict[str, int | None] = {}
        for event, _ in self._state.log:
            place = text_of_event(event)
            if place is None:
                continue
            if place.kind == "version":
                newest[place.owner] = None if place.deleted else place.number
            if not place.deleted:
                texts[place.kind, place.owner, place.number] = place
        hits = []
        with self.read() as view:
            for place in texts.values():
                is_newest = place.kind != "version" or newest[place.owner] == place.number
                if words and (is_newest or history) and holds(tokens(body_of(view, place)), words):
                    hits.append(found(view, place, words, newest=is_newest))
        return hits[:limit]

    def close(self) -> None:
        """Nothing is open."""
