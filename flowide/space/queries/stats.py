"""Questions about how a space is used."""

from __future__ import annotations

from msgspec import Struct

from flowide.space.queries.base import Query


class ActorStats(Struct):
    """What one actor did. Times are milliseconds of the recorded clock."""

    actor: str
    kind: str
    locks: int = 0
    """Grants, transfers to them included."""
    held_ms: int = 0
    longest_ms: int = 0
    lapses: int = 0
    waits: int = 0
    """Places in a queue that led to a grant."""
    waited_ms: int = 0
    longest_wait_ms: int = 0
    gave_up: int = 0
    """Places in a queue that ended without one."""
    saves: int = 0
    """Versions of any kind."""
    variations: int = 0
    accepted: int = 0


class HoldStats(Struct):
    """How long one actor held one artifact."""

    artifact: str
    path: str
    actor: str
    holds: int = 0
    held_ms: int = 0


class ModelStats(Struct):
    """What an agent's calls of one model took."""

    agent: str
    model: str
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0
    """Millionths of a dollar, of the calls whose price is known."""
    unpriced: int = 0
    """Calls whose price is unknown."""
    variations: int = 0
    accepted: int = 0


class StatsView(Struct):
    """Actors by name, holds by path and actor, models by agent; locks that are still held count up to now."""

    events: int
    actors: list[ActorStats]
    holds: list[HoldStats]
    models: list[ModelStats]


class Stats(Query[StatsView], frozen=True):
    """Who held what for how long, waits, saves, cost by agent and model, and which variations were accepted."""

    since: str = ""
    """Only events recorded at or after this RFC 3339 time; empty = all."""
