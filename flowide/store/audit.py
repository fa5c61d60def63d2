"""What `verify` finds wrong below rows and events: pages, migrations, stored replies, the search index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, get_type_hints

from flowide.domain.rows import PROJECTIONS, TRANSIENT
from flowide.store.api import StoredReply
from flowide.store.explained import sqlite3
from flowide.store.search_audit import index_problems
from flowide.store.views import REPLY_DAYS, seal

MOST = 20
"""Of each kind; a file with one bad page has many bad rows."""
DUE = ("lock.lapsed", "lock.revived", "lock.dequeued", "draft.kept", "draft.discarded")
"""Events that also come of commands without a stored reply: of what was due when one of those arrived.

So do locks that are granted to a ticket.
"""


def damage(cursor: Any) -> list[str]:
    """One line for each thing found; reads all of the file."""
    found: list[str] = []
    for check in (_pages, _migrations, _flags, _replies, _unanswered, index_problems):
        try:
            found += list(check(cursor))[:MOST]
        except sqlite3.DatabaseError as error:
            found.append(f"the file cannot be read: {error}")
        except (ValueError, TypeError, KeyError) as error:
            found.append(f"what is stored cannot be read: {error}")
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


def _flags(cursor: Any) -> Iterator[str]:
    """Yes and no are 1 and 0; any other value would be read as one of them, and found by no question."""
    for kind in (*PROJECTIONS, *TRANSIENT):
        for column, type in get_type_hints(kind).items():
            if type is bool and column in kind.__struct_fields__:
                [(wrong,)] = cursor.execute(
                    f'SELECT count(*) FROM "{kind.TABLE}" WHERE "{column}" IS NOT 0 AND "{column}" IS NOT 1'  # noqa: S608 - our own names
                ).fetchall()
                if wrong:
                    yield f"table {kind.TABLE} says neither yes nor no in {column}, {wrong} times"


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
            if sealed != seal(id, StoredReply(body, data), wall_ms):
                yield f"the stored reply of command {id} was changed"
            elif not is_reply(data, head):
                yield f"the stored reply of command {id} cannot be"


def _unanswered(cursor: Any) -> Iterator[str]:
    """Commands of the last days whose events are there and whose reply is not.

    Counted back from the newest event: whoever set the clock forward had old replies removed by it.
    """
    [(newest,)] = cursor.execute(
        """SELECT max("body" ->> '$.ts') FROM "events" WHERE json_valid("body")"""
    ).fetchall()
    if newest is None:
        return
    rows = cursor.execute(
        """SELECT min("seq"), e."body" ->> '$.cmd' AS "cmd" FROM "events" AS e
        WHERE json_valid(e."body") AND e."body" ->> '$.ts' > ?
        AND e."body" ->> '$.type' NOT IN (SELECT "value" FROM json_each(?))
        AND NOT (e."body" ->> '$.type' = 'lock.acquired' AND e."body" ->> '$.data.ticket' IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM "replies" WHERE "id" = e."body" ->> '$.cmd')
        GROUP BY "cmd" ORDER BY 1 LIMIT ?""",
        (kept_since(newest), json.dumps(DUE), MOST),
    ).fetchall()
    for seq, command in rows:
        yield missing(command, seq)


def kept_since(newest: str) -> str:
    """Commands after this moment have their replies; counted back from the newest event. Both RFC 3339 UTC."""
    since = datetime.fromisoformat(newest) - timedelta(days=REPLY_DAYS - 1)
    return since.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def missing(command: str, seq: int) -> str:
    """A command is in the log, and its reply is not there."""
    return f"the stored reply of command {command} is missing, which made event {seq}"


def is_reply(reply: bytes, head: int) -> bool:
    """Whether this is the JSON of an answer to a command, given when the log was no longer than `head`."""
    try:
        said = json.loads(reply)
        return isinstance(said["seq"], int) and said["seq"] <= head and ("ok" in said) != ("err" in said)
    except (ValueError, TypeError, KeyError):
        return False
