"""A replica's tables: events folded in as they come, or everything replaced at once.

Works inside the transaction that is open, so a replica and its cursor are always of one moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec

from flowide.domain.events import GENESIS, Event, canonical_json, chain_after, plain_json
from flowide.domain.rows import PROJECTIONS, TRANSIENT, Row
from flowide.store.api import Position, Tx
from flowide.store.mapping import table
from flowide.store.projections import BrokenLog, project
from flowide.store.rebuild import rebuild
from flowide.store.search import MAKE_WORDS

_MANY = 500


class Diverged(Exception):
    """What came does not continue the log that is here."""


def follow(tx: Tx, events: Iterable[Event]) -> Position:
    """Add the events that are not here yet, with their projections.

    Raises:
        Diverged: One does not fit the chain, or one is missing before it.
    """
    for event in events:
        at = tx.position()
        if event.seq <= at.seq:
            continue
        body = _body(event, at)
        try:
            tx.append(event, body)
            changes = project(tx, event)
            tx.drop(changes.drop)
            tx.put(changes.put)
        except (BrokenLog, msgspec.ValidationError) as error:
            raise Diverged(f"event {event.seq} cannot be folded: {error}") from error
    return tx.position()


def _body(event: Event, at: Position) -> bytes:
    """The canonical body, by which the chain goes on."""
    if event.seq != at.seq + 1:
        raise Diverged(f"event {event.seq} follows event {at.seq}")
    fields = {name: getattr(event, name) for name in Event.__struct_fields__ if name != "chain"}
    for written in (plain_json, canonical_json):  # they differ in how fractions are written
        body = written(fields)
        if chain_after(at.chain, body) == event.chain:
            return body
    raise Diverged(f"event {event.seq} does not fit the chain")


class Replacing:
    """Takes a whole log, and maybe the tables that follow from it, in place of what is there."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._seq, self._chain = 0, GENESIS
        self._waiting: list[tuple[int, str, str]] = []
        self._given = False
        """Whether rows came; without any, they are folded from the log."""
        self._unknown = False
        """Whether a table came in a shape that is not ours."""
        for row in (*PROJECTIONS, *TRANSIENT):
            cursor.execute(f'DELETE FROM "{row.TABLE}"')  # noqa: S608 - names of our own classes
        cursor.execute('DELETE FROM "events"')
        forget_search(cursor)

    def event(self, chain: str, body: bytes) -> None:
        """The next event.

        Raises:
            Diverged: The chain value is not the one that follows.
        """
        self._seq += 1
        self._chain = chain_after(self._chain, body)
        if self._chain != chain:
            raise Diverged(f"event {self._seq} of the snapshot does not fit the chain")
        self._waiting.append((self._seq, chain, body.decode()))
        if len(self._waiting) >= _MANY:
            self._flush()

    def rows(self, name: str, columns: Sequence[str], values: Sequence[Sequence[Any]]) -> None:
        """Rows of one table, as the sender has them."""
        kind = _by_table().get(name)
        if kind is None or tuple(columns) != kind.__struct_fields__:
            self._unknown = True
            return
        self._given = True
        kept = table(kind)
        made = [kept.values(tuple(each)) for each in values]
        self._cursor.executemany(kept.upsert, made)

    def finish(self, expected: Position) -> Position:
        """Where the log now stands.

        Raises:
            Diverged: Not where it was said to stand.
            BrokenLog: The log cannot be folded.
        """
        self._flush()
        if (self._seq, self._chain) != (expected.seq, expected.chain):
            raise Diverged(f"the snapshot ends at {self._seq}, and said {expected.seq}")
        self._cursor.execute('UPDATE "space" SET "seq" = ?, "chain" = ?', (self._seq, self._chain))
        if self._unknown or not self._given:
            rebuild(self._cursor)
        return expected

    def _flush(self) -> None:
        self._cursor.executemany('INSERT INTO "events" VALUES (?, ?, ?)', self._waiting)
        self._waiting.clear()


def forget_search(cursor: Any) -> None:
    """Have the search index made again by the next search."""
    cursor.execute('DROP TABLE IF EXISTS "words"')  # also one that is damaged
    cursor.execute(MAKE_WORDS)
    cursor.execute('DELETE FROM "texts"')
    cursor.execute('UPDATE "space" SET "indexed" = 0, "indexed_chain" = ?', [GENESIS])


@cache
def _by_table() -> dict[str, type[Row]]:
    return {row.TABLE: row for row in PROJECTIONS}
