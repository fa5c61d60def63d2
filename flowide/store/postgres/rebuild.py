"""Making the projections of one space again from its log."""

from __future__ import annotations

from typing import Any

from flowide.store import rebuild as log
from flowide.store.postgres.statements import Statements


def rebuild(session: Any, space: int) -> None:
    """Inside the transaction that is open on the session.

    Raises:
        BrokenLog: An event refers to something no earlier event made.
    """
    statements = Statements(session, space)
    log.rebuild(statements)
    statements.flush()
