"""What `verify` finds wrong below rows and events: migrations, stored replies, the search index."""

from __future__ import annotations

from collections.abc import Iterator

from flowide.store.api import StoredReply
from flowide.store.audit import DUE, MOST, is_reply, kept_since, missing
from flowide.store.postgres.schema import MIGRATIONS
from flowide.store.postgres.wire import Refused
from flowide.store.views import Reader, seal


def damage(reader: Reader) -> list[str]:
    """One line for each thing found; reads all stored replies. The server itself checks its pages as it reads them."""
    found: list[str] = []
    for check in (_migrations, _replies, _unanswered, _texts):
        try:
            for line in check(reader):
                found.append(line)
                if len(found) >= 3 * MOST:
                    break
        except Refused as error:
            found.append(f"the database cannot be read: {error}")
            break  # the transaction is over
    return found


def _migrations(reader: Reader) -> Iterator[str]:
    [noted] = reader.cursor.flush(("SELECT version, name FROM migrations ORDER BY version", ()))
    if noted != [(at, migration.__name__) for at, migration in enumerate(MIGRATIONS, 1)]:
        yield "the notes of migrations are not those of this schema"


def _replies(reader: Reader) -> Iterator[str]:
    head = reader.position().seq
    after = ""
    while True:
        page = reader.execute(
            'SELECT "id", "body", "reply", "wall_ms", "seal" FROM "replies" WHERE "id" > ? ORDER BY "id" LIMIT 1000',
            (after,),
        ).fetchall()
        if not page:
            return
        after = page[-1][0]
        for id, body, reply, wall_ms, sealed in page:
            if sealed is not None and sealed != seal(id, StoredReply(body, reply), wall_ms):
                yield f"the stored reply of command {id} was changed"
            elif not is_reply(reply, head):
                yield f"the stored reply of command {id} cannot be"


def _unanswered(reader: Reader) -> Iterator[str]:
    """Commands of the last days whose events are there and whose reply is not."""
    space = reader.cursor.space
    [[(newest,)]] = reader.cursor.flush(
        ("SELECT max(body::jsonb ->> 'ts') FROM events WHERE \"space\" = $1", (space,))
    )
    if newest is None:
        return
    due = ", ".join(f"'{each}'" for each in DUE)
    [rows] = reader.cursor.flush(
        (
            "SELECT min(seq), cmd FROM (SELECT seq, body::jsonb AS it, body::jsonb ->> 'cmd' AS cmd FROM events "  # noqa: S608 - our names
            f"WHERE \"space\" = $1) AS e WHERE it ->> 'ts' > $2 AND it ->> 'type' NOT IN ({due}) "
            "AND NOT (it ->> 'type' = 'lock.acquired' AND it #>> '{data,ticket}' IS NOT NULL) "
            'AND NOT EXISTS (SELECT 1 FROM replies WHERE "space" = $1 AND id = cmd) '
            f"GROUP BY cmd ORDER BY 1 LIMIT {MOST}",
            (space, kept_since(newest)),
        )
    )
    for seq, command in rows:
        yield missing(command, seq)


def _texts(reader: Reader) -> Iterator[str]:
    [wrong] = reader.cursor.flush(
        (
            'SELECT "kind", "owner", "number" FROM texts AS t WHERE "space" = $1 AND ('
            '("kind" = \'version\' AND NOT EXISTS (SELECT 1 FROM versions AS v WHERE v."space" = $1 '
            'AND v."artifact" = t."owner" AND v."version" = t."number" AND v."sha256" = t."sha256")) OR '
            '("kind" = \'variation\' AND NOT EXISTS (SELECT 1 FROM variations AS v WHERE v."space" = $1 '
            'AND v."set" = t."owner" AND v."number" = t."number" AND v."sha256" = t."sha256")) OR '
            "\"kind\" NOT IN ('version', 'variation', 'message', 'decision')) LIMIT 20",
            (reader.cursor.space,),
        )
    )
    for kind, owner, number in wrong:
        yield f"the search index names a {kind} {number} of {owner} that is not so"
    [(indexed, seq)] = reader.execute('SELECT "indexed", "seq" FROM "space"').fetchall()
    if indexed > seq:
        yield f"the search index says it has {indexed} events of {seq}"
