"""What `verify` finds wrong in the search index: it is made again, beside, and compared."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import msgspec

from flowide.domain.events import GENESIS, Event
from flowide.errors import FlowError
from flowide.store.explained import sqlite3
from flowide.store.search import MAKE_WORDS
from flowide.store.texts import Text, body_of, text_of_event
from flowide.store.views import Reader

PAGE = 500
_SHADOWS = {"data": 2, "idx": 3, "docsize": 2, "config": 2}
"""Tables in which SQLite keeps the index `words`, and how many columns they have."""
Row = tuple[str, str, int, str | None, int]
"""A line of `texts`: kind, owner, number, sha256, newest."""


def index_problems(cursor: Any) -> Iterator[str]:
    """One line for each thing that does not follow from the log; reads all texts that are indexed."""
    [(indexed, chain)] = cursor.execute('SELECT "indexed", "indexed_chain" FROM "space"').fetchall()
    at = cursor.execute('SELECT "chain" FROM "events" WHERE "seq" = ?', (indexed,)).fetchall()
    if chain != (at[0][0] if at else GENESIS if indexed == 0 else None):
        yield f"the search index does not know up to which event it goes: it says {indexed}"
        return
    wrong = False
    for number, (have, want) in enumerate(zip_longest(_listed(cursor), _expected(cursor, indexed)), start=1):
        if have != want:
            wrong = True
            kind, owner, at_number, *_ = want or have
            yield f"the search index has not the right text {number}: {kind} {at_number} of {owner}"
    if not wrong:
        yield from _words(cursor)


def _listed(cursor: Any) -> Iterator[Row]:
    yield from cursor.execute(
        'SELECT "kind", "owner", "number", "sha256", "newest" FROM "texts" ORDER BY "id"'
    ).fetchall()


def _expected(cursor: Any, indexed: int) -> list[Row]:
    """What the events up to `indexed` make."""
    made: list[Row] = []
    newest: dict[str, int] = {}
    seq = 0
    while page := cursor.execute(
        'SELECT "seq", "chain", "body" FROM "events" WHERE "seq" > ? AND "seq" <= ? ORDER BY "seq" LIMIT ?',
        (seq, indexed, PAGE),
    ).fetchall():
        for _, chain, body in page:
            text = text_of_event(Event(chain=chain, **msgspec.json.decode(body)))
            if text is None:
                continue
            if text.kind == "version" and text.owner in newest:
                before = newest.pop(text.owner)
                made[before] = (*made[before][:4], 0)
            if not text.deleted:
                if text.kind == "version":
                    newest[text.owner] = len(made)
                made.append((text.kind, text.owner, text.number, text.sha256, 1))
        seq = page[-1][0]
    return made


def _words(cursor: Any) -> Iterator[str]:
    beside = sqlite3.connect("", isolation_level=None)  # a file of SQLite's own, gone when it is closed
    try:
        for name in ("there", "fresh"):
            beside.execute(MAKE_WORDS.replace('"words"', f'"{name}"'))
        for shadow, columns in _SHADOWS.items():
            beside.execute(f'DELETE FROM "there_{shadow}"')  # noqa: S608 - our own names
            marks = ", ".join("?" * columns)
            rows = cursor.execute(f'SELECT * FROM "words_{shadow}"').fetchall()  # noqa: S608
            beside.executemany(f'INSERT INTO "there_{shadow}" VALUES ({marks})', rows)  # noqa: S608
        _index(cursor, beside)
        yield from _differences(beside)
    except sqlite3.DatabaseError as error:
        yield f"the words of the search index cannot be read: {error}"
    finally:
        beside.close()


def _index(cursor: Any, beside: Any) -> None:
    view = Reader(cursor)
    beside.execute("BEGIN")
    for id, kind, owner, number, sha256 in cursor.execute(
        'SELECT "id", "kind", "owner", "number", "sha256" FROM "texts" ORDER BY "id"'
    ).fetchall():
        try:
            body = body_of(view, Text(kind, owner, number, sha256))
        except FlowError:  # the content is damaged, which is told of the content
            body = ""
        beside.execute('INSERT INTO "fresh" ("rowid", "body") VALUES (?, ?)', (id, body))
    beside.execute("COMMIT")


def _differences(beside: Any) -> Iterator[str]:
    beside.execute('INSERT INTO "there" ("there") VALUES (\'integrity-check\')')
    for name in ("there", "fresh"):
        beside.execute(
            f"CREATE VIRTUAL TABLE temp.\"{name}_words\" USING fts5vocab('main', '{name}', 'instance')"
        )
    pairs = (
        ("words", 'SELECT "term", "doc", "offset" FROM "{}_words"'),
        ("lengths of texts", 'SELECT "id", "sz" FROM "{}_docsize" ORDER BY "id"'),
        ("settings", 'SELECT "k", "v" FROM "{}_config" ORDER BY "k"'),
        ("sums", 'SELECT "block" FROM "{}_data" WHERE "id" = 1'),
    )
    for what, sql in pairs:
        there, fresh = (beside.execute(sql.format(name)) for name in ("there", "fresh"))
        if any(have != want for have, want in zip_longest(there, fresh)):
            yield f"the search index has not the right {what}"
            return
