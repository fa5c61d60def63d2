"""Full-text search. The index follows the rows: it is brought up to date when somebody searches."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from flowide.domain.view import View
from flowide.errors import StorageFailed
from flowide.store.texts import searchable

if TYPE_CHECKING:
    from flowide.store.sqlite import SqliteStore
    from flowide.store.sqlite_views import Reader

MAX_TEXT = 1 << 20
"""Bytes of one text that are indexed."""

Key = tuple[str, str]


def search(store: SqliteStore, text: str, limit: int) -> list[tuple[str, str, str]]:
    """`(kind, ref, excerpt)` of texts with words that start with all the given ones, best first."""
    words = [word.replace('"', '""') for word in text.split()]
    if not words:
        return []
    with store.read() as view:
        behind = any(_difference(view))
    if behind:
        # On a full or read-only disk, what was indexed before is still found.
        with suppress(StorageFailed):
            _refresh(store)
    query = " ".join(f'"{word}"*' for word in words)
    with store.read():
        found = store.reader().execute(
            'SELECT "texts"."kind", "texts"."ref", snippet("texts_fts", 0, \'\', \'\', \' … \', 12) '
            'FROM "texts_fts" JOIN "texts" ON "texts"."rowid" = "texts_fts"."rowid" '
            'WHERE "texts_fts" MATCH ? ORDER BY "rank" LIMIT ?',
            (query, limit),
        )
        return [(kind, ref, excerpt) for kind, ref, excerpt in found]


def _difference(view: View) -> tuple[list[Key], dict[Key, str]]:
    """What is indexed and should not be, and the SHA-256 of what should be and is not."""
    reader: Reader = view  # type: ignore[assignment]
    wanted = {(kind, ref): sha256 for kind, ref, sha256 in searchable(view)}
    rows = reader.execute('SELECT "kind", "ref", "sha256" FROM "texts"').fetchall()
    indexed = {(kind, ref): sha256 for kind, ref, sha256 in rows}
    stale = [key for key, sha256 in indexed.items() if wanted.get(key) != sha256]
    fresh = {key: sha256 for key, sha256 in wanted.items() if indexed.get(key) != sha256}
    return stale, fresh


def _refresh(store: SqliteStore) -> None:
    with store.write() as tx:
        stale, fresh = _difference(tx)
        execute = tx.execute  # type: ignore[attr-defined]
        for key in stale:
            execute('DELETE FROM "texts" WHERE "kind" = ? AND "ref" = ?', key)
        for key, sha256 in fresh.items():
            body = (tx.blob(sha256) or b"")[:MAX_TEXT].decode("utf-8", "replace")
            execute(
                'INSERT INTO "texts" ("kind", "ref", "sha256", "body") VALUES (?, ?, ?, ?)',
                (*key, sha256, body),
            )
