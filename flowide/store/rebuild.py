"""Making the projections again from the log."""

from __future__ import annotations

from typing import Any

import msgspec

from flowide.domain.events import Event
from flowide.domain.rows import PROJECTIONS
from flowide.store.projections import project
from flowide.store.views import Writer

PAGE = 1000
REMEMBERED = 100_000
"""Rows kept in memory: enough for most spaces, so that their tables are not read while they are written."""


def rebuild(cursor: Any) -> int:
    """Empty all projections and fold the log into them, inside the transaction that is open.

    Returns how many events were folded.

    Raises:
        BrokenLog: An event refers to something no earlier event made.
    """
    for row in PROJECTIONS:
        cursor.execute(f'DELETE FROM "{row.TABLE}"')  # noqa: S608 - names of our own classes
    view = Writer(cursor)
    view.begins_empty(PROJECTIONS)
    seq = 0
    while True:
        page = cursor.execute(
            'SELECT "seq", "chain", "body" FROM "events" WHERE "seq" > ? ORDER BY "seq" LIMIT ?', (seq, PAGE)
        ).fetchall()
        if not page:
            return seq
        if view.remembered > REMEMBERED:
            view.forget()
        for _, chain, body in page:
            changes = project(view, Event(chain=chain, **msgspec.json.decode(body)))
            view.drop(changes.drop)
            view.put(changes.put)
        seq = page[-1][0]
