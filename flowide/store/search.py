"""Full-text search. The index follows the log: it is brought up to date when somebody searches.

It holds words, not texts: those stay where they are, once.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from flowide.domain.events import Event
from flowide.errors import StorageFailed
from flowide.store.texts import Found, Text, body_of, found, text_of_event, tokens

if TYPE_CHECKING:
    from flowide.store.sqlite import SqliteStore
    from flowide.store.views import Reader, Writer

MAKE_WORDS = "CREATE VIRTUAL TABLE \"words\" USING fts5(\"body\", content='', tokenize='unicode61')"
PAGE = 500
"""Events indexed in one transaction; writers get their turn in between."""


def search(store: SqliteStore, text: str, limit: int, *, history: bool) -> list[Found]:
    """Texts with words that start with all the given ones, best first; with `history` old versions too."""
    words = [word for word in text.split() if tokens(word)]
    if not words:
        return []
    # On a full or read-only disk, what was indexed before is still found.
    with suppress(StorageFailed):
        going = True
        while going and _behind(store):
            with store.write() as tx:
                going = _follow(tx)  # type: ignore[arg-type] # the transaction of this store
    query = " ".join('"{}"*'.format(word.replace('"', '""')) for word in words)
    with store.read() as view:
        reader: Reader = view  # type: ignore[assignment]
        rows = reader.execute(
            'SELECT "kind", "owner", "number", "sha256", "newest" FROM "words" '
            'JOIN "texts" ON "texts"."id" = "words"."rowid" '
            'WHERE "words" MATCH ? AND ("newest" = 1 OR ?) ORDER BY "rank" LIMIT ?',
            (query, history, limit),
        ).fetchall()
        return [
            found(view, Text(kind, owner, number, sha256), words, newest=bool(newest))
            for kind, owner, number, sha256, newest in rows
        ]


def _behind(store: SqliteStore) -> bool:
    with store.read() as view:
        reader: Reader = view  # type: ignore[assignment]
        return bool(reader.execute('SELECT "indexed" < "seq" FROM "space"').fetchall() == [(1,)])


def _follow(tx: Writer) -> bool:
    """Index the texts of the next page of events; False when there is none, as in a log that was cut."""
    [(seq,)] = tx.execute('SELECT "indexed" FROM "space"').fetchall()
    page = tx.execute(
        'SELECT "seq", "chain", "body" FROM "events" WHERE "seq" > ? ORDER BY "seq" LIMIT ?', (seq, PAGE)
    ).fetchall()
    for _, chain, body in page:
        text = text_of_event(Event(chain=chain, **msgspec.json.decode(body)))
        if text is not None:
            _index(tx, text)
    if page:
        tx.execute('UPDATE "space" SET "indexed" = ?, "indexed_chain" = ?', page[-1][:2])
    return bool(page)


def _index(tx: Any, text: Text) -> None:
    if text.kind == "version":
        tx.execute('UPDATE "texts" SET "newest" = 0 WHERE "newest" = 1 AND "owner" = ?', (text.owner,))
    if text.deleted:
        return
    tx.execute(
        'INSERT INTO "texts" ("kind", "owner", "number", "sha256", "newest") VALUES (?, ?, ?, ?, 1)',
        (text.kind, text.owner, text.number, text.sha256),
    )
    try:
        body = body_of(tx, text)
    except (
        StorageFailed
    ):  # a damaged content is told by `verify`, and does not keep the others from being found
        body = ""
    tx.execute('INSERT INTO "words" ("rowid", "body") VALUES (last_insert_rowid(), ?)', (body,))
