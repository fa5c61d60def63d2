"""The replica: the hub's log and its projections in a local file, with as many contents as were needed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from flowide.domain.actors import Now
from flowide.domain.events import Event
from flowide.domain.live_text import stream_of
from flowide.domain.rows import PROJECTIONS, Artifact, Chunk, LiveDraft, Row
from flowide.errors import NotFound, Unavailable
from flowide.space import queries as q
from flowide.space.reads import answer
from flowide.space.wire import snapshot
from flowide.store.api import Position, Store
from flowide.store.replacing import Diverged, Replacing, follow, forget_search
from flowide.store.sqlite import SqliteStore

R = TypeVar("R")
_CONTENTS = ("sha256", "base_sha256", "manifest")
"""Fields of rows that name a content."""


class Replica:
    """Follows the log of a hub. Several processes of this machine may feed the same file."""

    def __init__(self, path: Path) -> None:
        """Open or make it.

        Raises:
            StorageFailed: The file cannot be used.
        """
        self.store = SqliteStore(path, durable=False)
        self._unsearched = False
        """Whether contents came that the search index has not seen."""

    def position(self) -> Position:
        """The cursor: where the replica stands."""
        return self.store.position()

    async def follow(self, events: Sequence[Event]) -> Position:
        """Apply the next events, with the cursor, in one transaction.

        Raises:
            Diverged: They do not continue the log that is here.
        """

        def apply(turn: Any) -> Position:
            with turn as tx:
                return follow(tx, events)

        turn = self.store.try_write()
        if turn is not None and len(events) <= 16:
            return apply(turn)
        if turn is not None:
            # It has begun, so it has to end, also when nobody waits for it any more.
            return await asyncio.shield(asyncio.to_thread(apply, turn))
        return await asyncio.to_thread(lambda: apply(self.store.write()))

    def replace(self, lines: Iterator[bytes]) -> snapshot.Head:
        """Put a snapshot in place of everything, in one transaction; for a thread.

        Raises:
            Diverged: The snapshot is not whole, or does not fit its own chain.
        """
        try:
            head = msgspec.json.decode(next(lines, b""), type=snapshot.Head)
            with self.store.write() as tx:
                taken = Replacing(tx.cursor)  # type: ignore[attr-defined] # the transaction of this store
                ended = False
                for line in lines:
                    event = snapshot.event_of(line)
                    if event is not None:
                        taken.event(*event)
                    elif snapshot.is_end(line):
                        ended = True
                    else:
                        page = msgspec.json.decode(line, type=snapshot.Page)
                        taken.rows(page.table, page.columns, page.rows)
                if not ended:
                    raise Diverged("the snapshot ends before its end")
                taken.finish(Position(head.seq, head.chain))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Diverged(f"this is no snapshot: {error}") from error
        return head

    def wanting(self, limit: int, most: int) -> list[str]:
        """SHA-256 of newest versions that are not here, of at most so many bytes each; for a thread."""
        with self.store.aside() as store, store.read() as view:
            found: list[str] = []
            for row in store.rows(Artifact):
                if not row.deleted and row.size <= most and view.blob_size(row.sha256) is None:
                    found.append(row.sha256)
                    if len(found) == limit:
                        break
            return found

    def named(self) -> list[str]:
        """SHA-256 of all contents that anything names; for a thread."""
        found: set[str] = set()
        with self.store.aside() as store, store.read():
            for kind in PROJECTIONS:
                names = [name for name in _CONTENTS if name in kind.__struct_fields__]
                for row in store.rows(kind) if names else ():
                    found.update(digest for name in names if (digest := getattr(row, name)) is not None)
        return sorted(found)

    @contextmanager
    def holding(self, written: Sequence[q.DraftText]) -> Iterator[Store]:
        """The store, for as long as the block lasts with texts that are being written; for a thread."""
        rows: list[Row] = []
        for text in written:
            size = len(text.text.encode())
            rows += [
                LiveDraft(text.artifact, text.fence, text.base, size),
                Chunk(stream_of(text.artifact, text.fence), 0, text.text),
            ]
        with self.store.aside() as store:
            try:
                with store.write() as tx:
                    tx.put(rows)
                yield store
            finally:
                with store.write() as tx:
                    tx.drop(rows)

    def blob(self, digest: str) -> bytes | None:
        """A content that is here."""
        return self.store.blob(digest)

    def keep_now(self, blobs: dict[str, bytes]) -> None:
        """Keep contents whose names are right, unless somebody else is writing just now."""
        turn = self.store.try_write()
        if turn is not None:
            self._unsearched = True
            with turn as tx:
                for digest, data in blobs.items():
                    tx.put_blob(digest, data)

    def keep_blobs(self, blobs: dict[str, bytes]) -> None:
        """Keep contents that came from the hub; for a thread.

        Raises:
            Unavailable: One is not what its SHA-256 says.
        """
        for digest, data in blobs.items():
            if sha256(data).hexdigest() != digest:
                raise Unavailable(
                    f"the hub sent other bytes than those of {digest[:12]}…",
                    hint="Try again; if it stays so, run `flowide verify` on the hub.",
                )
        with self.store.write() as tx:
            for digest, data in blobs.items():
                tx.put_blob(digest, data)
        self._unsearched = True

    def answer(self, query: q.Query[R], now: Now) -> R:
        """What the replica knows.

        Raises:
            NotFound: With `sha256` in its data, when the answer is in a content that is not here.
        """
        if isinstance(query, q.Search) and self._unsearched:
            with self.store.write() as tx:
                forget_search(tx.cursor)  # type: ignore[attr-defined] # the transaction of this store
            self._unsearched = False
        found: R = answer(query, self.store, now)
        return found

    def close(self) -> None:
        """Free the file."""
        self.store.close()


def missing_content(error: NotFound) -> str | None:
    """SHA-256 of the content that was missing; None when something else was not found."""
    digest = error.data.get("sha256")
    return digest if isinstance(digest, str) else None


__all__ = ["Diverged", "Replica", "missing_content"]
