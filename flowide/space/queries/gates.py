"""Questions about questions to people."""

from __future__ import annotations

from flowide.domain import rows
from flowide.space.queries.base import Query


class Gates(Query[list[rows.Gate]], frozen=True):
    """Gates, newest first; by default those that wait for an answer."""

    status: str | None = "open"
    run: str | None = None
