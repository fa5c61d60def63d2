"""Full-text search. The index follows the rows: it is brought up to date when somebody searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowide.store.texts import searchable

if TYPE_CHECKING:
    from flowide.store.sqlite import SqliteStore

MAX_TEXT = 1 << 20
"""Bytes of one text that are indexed."""


def search(store: SqliteStore, text: str, limit: int) -> list[tuple[str, str, str]]:
    """`(kind, ref, excerpt)` of texts with all the words, best first."""
    words = [word.replace('"', '""') for word in text.split()]
    if not words:
        return []
    _refresh(store)
    query = " ".join(f'"{word}"' for word in words)
    with store.read():
        found = store.connection().execute(
            'SELECT "kind", "ref", snippet("texts", 3, \'\', \'\', \' … \', 12) FROM "texts" '
            'WHERE "texts" MATCH ? ORDER BY "rank" LIMIT ?',
            (query, limit),
        )
        return [(kind, ref, excerpt) for kind, ref, excerpt in found]


def _refresh(store: SqliteStore) -> None:
    with store.read() as view:
        wanted = {(kind, ref): sha256 for kind, ref, sha256 in searchable(view)}
        rows = store.connection().execute('SELECT "kind", "ref", "sha256" FROM "texts"').fetchall()
    indexed = {(kind, ref): sha256 for kind, ref, sha256 in rows}
    stale = [key for key, sha256 in indexed.items() if wanted.get(key) != sha256]
    fresh = [key for key, sha256 in wanted.items() if indexed.get(key) != sha256]
    if not stale and not fresh:
        return
    with store.write() as tx:
        execute = store.connection().execute
        for kind, ref in stale:
            execute('DELETE FROM "texts" WHERE "kind" = ? AND "ref" = ?', (kind, ref))
        for kind, ref in fresh:
            sha256 = wanted[kind, ref]
            body = (tx.blob(sha256) or b"")[:MAX_TEXT].decode("utf-8", "replace")
            execute('INSERT INTO "texts" VALUES (?, ?, ?, ?)', (kind, ref, sha256, body))
