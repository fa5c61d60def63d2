"""Questions about reviews."""

from __future__ import annotations

from msgspec import Struct

from flowide.domain import rows
from flowide.space.queries.base import Query


class Reviews(Query[list[rows.Review]], frozen=True):
    """Reviews, newest first."""

    status: str | None = None
    """`open`, `approved` or `rejected`; None = all."""


class ReviewView(Struct, frozen=True):
    """A review with what its stages handed on and said, in order."""

    review: rows.Review
    handovers: list[rows.Handover]
    verdicts: list[rows.Verdict]


class OneReview(Query[ReviewView], frozen=True):
    """A review: by id, a unique start of it, or `last`.

    Raises:
        NotFound: There is none.
    """

    ref: str


class Remembered(Struct, frozen=True):
    """A reason for which texts of a kind were sent back."""

    text: str
    kind: str
    """As the verdict said, or `refused` for a change that people did not take."""
    times: int
    path: str
    """Of the text it was said about last."""


class Reasons(Query[list[Remembered]], frozen=True):
    """Why texts of a kind of artifact were sent back, the newest reason first, each once."""

    kind: str
    """`document`, `code`, `component` …"""
    limit: int = 12
