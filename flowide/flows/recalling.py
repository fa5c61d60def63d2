"""What the log knows of a run that is gone on with: every call made for it, and how long it was driven."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct, field

from flowide.agents.api import Usage
from flowide.domain.events import Event
from flowide.space.api import Space


class Call(Struct, frozen=True):
    """A call of an agent, begun or finished."""

    key: str
    agent: str
    turns: int
    """How many turns it adds: 1 when it begins, and one for each time the agent had to be asked again."""
    usage: Usage | None = None
    """None = it has not finished, or used nothing."""
    seconds: float = 0.0


class Past(Struct):
    """A run before this process."""

    calls: list[Call] = field(default_factory=list)
    """In their order; those that failed and were made again too."""
    seconds: float = 0.0
    """That it was driven, without waiting for people."""
    began: dict[str, float] = field(default_factory=dict)
    """Seconds it had been driven when each call of another flow began, by the step's key."""


async def recall(space: Space, run: str, seq: int) -> Past:
    """Read a run's events from the log; `seq` is where it began. What came after its newest claim is left out."""
    reader = _Reader(run)
    async for event in space.events(seq - 1):
        if event.data.get("run") == run:
            reader.read(event)
    return reader.past


class _Reader:
    def __init__(self, run: str) -> None:
        self.past = Past()
        self._at: datetime | None = None
        """When the last event of the present driver was; None while nobody drives."""
        self._asks = False
        """That event was a question: until the next one a person was waited for."""
        self._started: dict[str, datetime] = {}

    def read(self, event: Event) -> None:
        now, data = datetime.fromisoformat(event.ts), event.data
        if event.type in {"run.started", "run.claimed"}:
            self._at, self._asks = now, False
            return
        if self._at is not None and not self._asks:
            self.past.seconds += max(0.0, (now - self._at).total_seconds())
        self._at = None if event.type == "run.finished" else now
        self._asks = event.type == "gate.opened"
        if event.type == "run.step":
            self._step(now, data)

    def _step(self, now: datetime, data: dict[str, object]) -> None:
        result = data["result"]
        assert isinstance(result, dict)
        key, agent = str(data["key"]), result.get("agent")
        if data["status"] == "started":
            self._started[key] = now
            if data["kind"] == "call":
                self.past.began.setdefault(key, self.past.seconds)
            if agent is not None:
                self.past.calls.append(Call(key, agent, 1))
        elif agent is not None:
            took = (now - self._started.get(key, now)).total_seconds()
            usage = msgspec.convert(data["usage"], Usage) if data.get("usage") else None
            self.past.calls.append(Call(key, agent, result.get("asked", 1) - 1, usage, max(0.0, took)))
