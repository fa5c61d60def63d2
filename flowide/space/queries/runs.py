"""Questions about flow runs."""

from __future__ import annotations

from msgspec import Struct

from flowide.domain import rows
from flowide.space.queries.base import Query


class RunView(Struct, frozen=True):
    """A run with its steps (by seq) and gates."""

    run: rows.Run
    steps: list[rows.Step]
    gates: list[rows.Gate]
    alive: bool
    """Its driver renewed the lease in time."""


class Runs(Query[list[rows.Run]], frozen=True):
    """Runs, newest first."""

    limit: int | None = None


class Queue(Query[list[rows.Run]], frozen=True):
    """Runs that a worker can take now, oldest first: those of the queue that nobody drives and no question holds up.

    A run whose driver is gone is among them, and one that stopped at a question which has its answer by now.
    """


class OneRun(Query[RunView], frozen=True):
    """One run, by id, by a unique start of its id, or `last`.

    Raises:
        NotFound: With what there is in its hint.
    """

    ref: str


class StepText(Query[str], frozen=True):
    """What a step's answer looks like so far; empty when nothing was streamed."""

    run: str
    key: str
