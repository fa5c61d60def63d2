"""Making the projections again from the log."""

from __future__ import annotations

from typing import Any

import msgspec

from flowide.domain.events import Event
from flowide.domain.rows import PROJECTIONS
from flowide.store.projections import project
from flowide.store.views import Writer

PAGE = 1000


def rebuild(cursor: Any) -> int:
    """Empty all projections and fold the log into them, inside the transaction that is open.

    Returns how many events were folded.

    Raises:
        BrokenLog: An event refers to something no earlier event made.
    """
    for row in PROJECTIONS:
        cursor.execute(f'DELETE FROM "{row.TABLE}"')  # noqa: S608 - names of our own classes
    seq = 0
    while True:
        page = cursor.execute(
            'SELECT "seq", "chain", "body" FROM "events" WHERE "seq" > ? ORDER BY "seq" LIMIT ?', (seq, PAGE)
        ).fetchall()
        if not page:
            return seq
        # One view a page: it remembers rows, and shall not remember a million.
        view = Writer(cursor)
        for _, chain, body in page:
            changes = project(view, Event(chain=chain, **msgspec.json.decode(body)))
            view.drop(changes.drop)
            view.put(changes.put)
        seq = page[-1][0]
