"""Questions about versions in git."""

from __future__ import annotations

from flowide.domain import rows
from flowide.space.queries.base import Query


class Commits(Query[list[rows.Commit]], frozen=True):
    """The commits of versions, by version; of one artifact, or of all."""

    artifact: str | None = None
