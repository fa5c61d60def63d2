"""Full-text search. The index follows the log: it is brought up to date when somebody searches.

The words are cut by us, as everywhere, so every store finds the same. They carry the number of their space: the index
leads to its texts only, however many spaces there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import msgspec

from flowide.domain.events import Event
from flowide.errors import StorageFailed
from flowide.store.texts import Found, Text, body_of, found, holds, text_of_event, tokens
from flowide.store.views import Reader, Writer, unpacked

if TYPE_CHECKING:
    from flowide.store.postgres.store import PostgresStore

PAGE = 500
"""Events indexed in one transaction; writers get their turn in between."""
_LONGEST = 200
"""Characters of a word that are indexed; a longer one is found by its start."""
_PLACES = 16
"""Of one word in one text: enough to tell how much it is about it."""
_SMALL = 65_536
"""Bytes of a content that is read together with others."""
_MOST = 900_000
"""Bytes of the words of one text; PostgreSQL takes a little more."""


def search(store: PostgresStore, text: str, limit: int, *, history: bool) -> list[Found]:
    """Texts with words that start with all the given ones, best first; with `history` old versions too."""
    words = [word for word in text.split() if tokens(word)]
    if not words:
        return []
    # On a full disk, or without the right to write, what was indexed before is still found.
    with suppress(StorageFailed):
        going = True
        while going and _behind(store):
            with store.write() as tx:
                going = _follow(cast("Writer", tx))
    # The index tells which texts hold all words; whether those of `snake_case` follow one another, the text itself.
    phrases = any(len(tokens(word)) > 1 or len(word) > _LONGEST for word in words)
    hits: list[Found] = []
    with store.read() as view:
        reader = cast("Reader", view)
        query = " & ".join(
            f"'{store.space}/{part[:_LONGEST]}'{':*' if last else ''}"
            for word in words
            for part, last in _parts(word)
        )
        page, offset = (limit * 2, 0) if phrases else (limit, 0)
        while len(hits) < limit:
            rows = reader.execute(
                'SELECT "kind", "owner", "number", "sha256", "newest" FROM "texts" '
                'WHERE "words" @@ CAST(? AS tsquery) AND ("newest" = 1 OR CAST(? AS bigint) = 1) '
                'ORDER BY ts_rank("words", CAST(? AS tsquery), 1) DESC, "kind", "owner", "number" LIMIT ? OFFSET ?',
                (query, int(history), query, page, offset),
            ).fetchall()
            for kind, owner, number, sha256, newest in rows:
                place = Text(kind, owner, number, sha256)
                if not phrases or holds(tokens(body_of(view, place)), words):
                    hits.append(found(view, place, words, newest=bool(newest)))
            offset += page
            if len(rows) < page:
                break
    return hits[:limit]


def _parts(word: str) -> Iterable[tuple[str, bool]]:
    """The tokens of a word, and whether each may go on."""
    parts = tokens(word)
    return [(part, at == len(parts) - 1 or len(part) > _LONGEST) for at, part in enumerate(parts)]


def _behind(store: PostgresStore) -> bool:
    with store.read() as view:
        [(indexed, seq)] = cast("Reader", view).execute('SELECT "indexed", "seq" FROM "space"').fetchall()
    return bool(indexed < seq)


def _follow(tx: Writer) -> bool:
    """Index the texts of the next page of events; False when there is none, as in a log that was cut."""
    [(seq,)] = tx.execute('SELECT "indexed" FROM "space"').fetchall()
    page = tx.execute(
        'SELECT "seq", "chain", "body" FROM "events" WHERE "seq" > ? ORDER BY "seq" LIMIT ?', (seq, PAGE)
    ).fetchall()
    texts = [text_of_event(Event(chain=chain, **msgspec.json.decode(body))) for _, chain, body in page]
    small = _small_contents(tx, [text for text in texts if text is not None])
    for text in texts:
        if text is not None:
            _index(tx, text, small)
    if page:
        tx.send('UPDATE "space" SET "indexed" = ?', (page[-1][0],))
    return bool(page)


def _small_contents(tx: Writer, texts: list[Text]) -> dict[str, bytes]:
    """Most contents of a page at once; large and damaged ones are left to be read one by one."""
    digests = {text.sha256 for text in texts if text.sha256 is not None and not text.deleted}
    rows = tx.execute(
        'SELECT "sha256", "codec", "data" FROM "blobs" WHERE "size" <= ? AND "sha256" = ANY (CAST(? AS text[]))',
        (_SMALL, "{" + ",".join(digests) + "}"),
    ).fetchall()
    found: dict[str, bytes] = {}
    for digest, codec, data in rows:
        with suppress(StorageFailed):
            found[digest] = unpacked(codec, data)
    return found


def _index(tx: Writer, text: Text, small: dict[str, bytes]) -> None:
    if text.kind == "version":
        tx.send('UPDATE "texts" SET "newest" = 0 WHERE "newest" = 1 AND "owner" = ?', (text.owner,))
    if text.deleted:
        return
    try:
        known = small.get(text.sha256 or "")
        body = body_of(tx, text) if known is None else known.decode("utf-8", "replace")
    except (
        StorageFailed
    ):  # a damaged content is told by `verify`, and does not keep the others from being found
        body = ""
    tx.send(
        'INSERT INTO "texts" ("kind", "owner", "number", "sha256", "newest", "words") '
        "VALUES (?, ?, ?, ?, 1, CAST(CAST(? AS text) AS tsvector)) "
        'ON CONFLICT ("kind", "owner", "number") DO UPDATE SET "newest" = 1, "words" = excluded."words"',
        (text.kind, text.owner, text.number, text.sha256, _vector(tx.cursor.space, body)),
    )


def _vector(space: int, body: str) -> str:
    """The words with some of their places, as the literal of a `tsvector`."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, token in enumerate(tokens(body), start=1):
        of_word = places[token[:_LONGEST]]
        if len(of_word) < _PLACES:
            of_word.append(min(at, 16_383))
    parts: list[str] = []
    size = 0
    for word, at_places in places.items():
        size += len(word.encode()) + len(str(space)) + 2 + 2 * len(at_places)
        if size > _MOST:
            break
        parts.append(f"'{space}/{word}':{','.join(map(str, at_places))}")
    return " ".join(parts)
