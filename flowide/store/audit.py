"""What `verify` finds wrong below rows and events: pages, migrations, stored replies, the search index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flowide.store.api import StoredReply
from flowide.store.explained import sqlite3
from flowide.store.views import seal

MOST = 20
"""Of each kind; a file with one bad page has many bad rows."""


def damage(cursor: Any) -> list[str]:
    """One line for each thing found; reads all of the file."""
    found: list[str] = []
    for check in (_pages, _migrations, _replies, _texts):
        try:
            found += list(check(cursor))[:MOST]
        except sqlite3.DatabaseError as error:
            found.append(f"the file cannot be read: {error}")
    return found


def _pages(cursor: Any) -> Iterator[str]:
    for (line,) in cursor.execute(f"PRAGMA integrity_check({MOST})").fetchall():
        if line != "ok":
            yield f"the file is damaged: {line}"


def _migrations(cursor: Any) -> Iterator[str]:
    from flowide.store.schema import MIGRATIONS

    noted = cursor.execute('SELECT "version", "name" FROM "migrations" ORDER BY "version"').fetchall()
    if noted != [(at, migration.__name__) for at, migration in enumerate(MIGRATIONS, 1)]:
        yield "the notes of migrations are not those of this schema"


def _replies(cursor: Any) -> Iterator[str]:
    [(head,)] = cursor.execute('SELECT "seq" FROM "space"').fetchall()
    after = ""
    while True:
        page = cursor.execute(
            'SELECT "id", "body", "reply", "wall_ms", "seal" FROM "replies" WHERE "id" > ? ORDER BY "id" LIMIT 1000',
            (after,),
        ).fetchall()
        if not page:
            return
        after = page[-1][0]
        for id, body, reply, wall_ms, sealed in page:
            data = reply if isinstance(reply, bytes) else str(reply).encode()
            if sealed is not None and sealed != seal(id, StoredReply(body, data), wall_ms):
                yield f"the stored reply of command {id} was changed"
            elif not is_reply(data, head):
                yield f"the stored reply of command {id} cannot be"


def is_reply(reply: bytes, head: int) -> bool:
    """Whether this is the JSON of an answer to a command, given when the log was no longer than `head`."""
    try:
        said = json.loads(reply)
        return isinstance(said["seq"], int) and said["seq"] <= head and ("ok" in said) != ("err" in said)
    except (ValueError, TypeError, KeyError):
        return False


def _texts(cursor: Any) -> Iterator[str]:
    wrong = cursor.execute(
        'SELECT "kind", "owner", "number" FROM "texts" WHERE '
        '("kind" = \'version\' AND NOT EXISTS (SELECT 1 FROM "versions" AS "v" WHERE "v"."artifact" = "owner" '
        'AND "v"."version" = "number" AND "v"."sha256" = "texts"."sha256")) OR '
        '("kind" = \'variation\' AND NOT EXISTS (SELECT 1 FROM "variations" AS "v" WHERE "v"."set" = "owner" '
        'AND "v"."number" = "texts"."number" AND "v"."sha256" = "texts"."sha256")) OR '
        "\"kind\" NOT IN ('version', 'variation', 'message', 'decision') LIMIT ?",
        (MOST,),
    ).fetchall()
    for kind, owner, number in wrong:
        yield f"the search index names a {kind} {number} of {owner} that is not so"
    [(indexed, seq)] = cursor.execute('SELECT "indexed", "seq" FROM "space"').fetchall()
    if indexed > seq:
        yield f"the search index says it has {indexed} events of {seq}"
