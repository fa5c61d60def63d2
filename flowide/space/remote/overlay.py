"""What the replica will look like once the commands that wait have been carried out. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from flowide.domain.events import Event
from flowide.domain.rows import Row
from flowide.domain.view import View
from flowide.store.api import Position, StoredReply
from flowide.store.memory import key_of

R = TypeVar("R", bound=Row)
Key = tuple[Any, ...]


class Overlay:
    """Rows that waiting commands change, over the view of a moment; implements `Tx` while it has one."""

    def __init__(self, at: Position) -> None:
        self._at = at
        self._rows: dict[type[Row], dict[Key, Row | None]] = {}
        """None = the row is dropped."""
        self._blobs: dict[str, bytes] = {}
        self._below: View

    @contextmanager
    def over(self, view: View) -> Iterator[Overlay]:
        """Look at, and change, what lies over this view."""
        self._below = view
        try:
            yield self
        finally:
            del self._below

    def get(self, row: type[R], *key: Any) -> R | None:
        changed = self._rows.get(row, {})
        if key in changed:
            found = changed[key]
            return found if isinstance(found, row) else None
        return self._below.get(row, *key)

    def find(self, row: type[R], *, order: str = "", limit: int | None = None, **equal: Any) -> list[R]:
        changed = self._rows.get(row)
        if not changed:
            return self._below.find(row, order=order, limit=limit, **equal)
        found = [each for each in self._below.find(row, **equal) if key_of(each) not in changed]
        found += [
            each
            for each in changed.values()
            if isinstance(each, row) and all(getattr(each, name) == value for name, value in equal.items())
        ]
        if order:
            found.sort(key=lambda each: getattr(each, order.lstrip("-")), reverse=order.startswith("-"))
        return found[:limit]

    def count(self, row: type[R], **equal: Any) -> int:
        return len(self.find(row, **equal)) if row in self._rows else self._below.count(row, **equal)

    def blob(self, sha256: str) -> bytes | None:
        return self._blobs.get(sha256) or self._below.blob(sha256)

    def blob_size(self, sha256: str) -> int | None:
        data = self._blobs.get(sha256)
        return self._below.blob_size(sha256) if data is None else len(data)

    def position(self) -> Position:
        return self._at

    def append(self, event: Event, body: bytes) -> None:
        self._at = Position(event.seq, event.chain)

    def put(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._rows.setdefault(type(row), {})[key_of(row)] = row

    def drop(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._rows.setdefault(type(row), {})[key_of(row)] = None

    def put_blob(self, sha256: str, data: bytes) -> None:
        self._blobs[sha256] = data

    def reply(self, command_id: str) -> StoredReply | None:
        return None

    def put_reply(self, command_id: str, stored: StoredReply, wall_ms: int) -> None:
        """The hub stores it."""

    def forget(self) -> None:
        """All that is remembered is needed."""

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        before = self._at, {kind: dict(rows) for kind, rows in self._rows.items()}, dict(self._blobs)
        try:
            yield
        except BaseException:
            self._at, self._rows, self._blobs = before
            raise
