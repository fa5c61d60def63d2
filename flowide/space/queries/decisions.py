"""Questions about decisions."""

from __future__ import annotations

from flowide.domain import rows
from flowide.space.queries.base import Query


class Decisions(Query[list[rows.Decision]], frozen=True):
    """Decisions by number."""

    status: str | None = None
    """`open`, `agreed` or `superseded`; None = all."""


class OneDecision(Query[rows.Decision], frozen=True):
    """A decision: `D3`, `3`, its id, a unique start of that, or `last`.

    Raises:
        NotFound: There is none.
    """

    ref: str
