"""A space as small as it can be: rules, a dict and a clock that is told the time."""

from __future__ import annotations

from typing import Any, TypeVar

from flowide.domain import commands as c
from flowide.domain.actors import SYSTEM, Actor, Caller, Now
from flowide.domain.decide import concerns, decide, settle
from flowide.domain.events import Event, actor_data
from flowide.domain.policy import Policy
from flowide.domain.rows import Row
from flowide.domain.view import Decision
from flowide.store.projections import project

R = TypeVar("R", bound=Row)

ANA = Actor("ana")
ROD = Actor("rod")
EDWIN = Actor("edwin", "agent", "ana")


class Board:
    """Implements `View` over dicts, and applies what rules decide."""

    def __init__(self) -> None:
        self.rows: dict[tuple[type[Row], tuple[Any, ...]], Row] = {}
        self.blobs: dict[str, bytes] = {}
        self.log: list[Event] = []
        self.mono_ms = 1000
        self.boot = "boot"
        self.policy = Policy()

    def get(self, row: type[R], *key: Any) -> R | None:
        found = self.rows.get((row, key))
        return found if isinstance(found, row) else None

    def find(self, row: type[R], *, order: str = "", limit: int | None = None, **equal: Any) -> list[R]:
        found = [
            each
            for each in self.rows.values()
            if isinstance(each, row) and all(getattr(each, name) == value for name, value in equal.items())
        ]
        if order:
            found.sort(key=lambda each: getattr(each, order.lstrip("-")), reverse=order.startswith("-"))
        return found[:limit]

    def count(self, row: type[R], **equal: Any) -> int:
        return len(self.find(row, **equal))

    def blob(self, sha256: str) -> bytes | None:
        return self.blobs.get(sha256)

    def blob_size(self, sha256: str) -> int | None:
        return len(self.blobs[sha256]) if sha256 in self.blobs else None

    @property
    def now(self) -> Now:
        return Now(self.mono_ms, self.boot, f"2026-01-01T00:00:{len(self.log):06d}Z", self.policy)

    def sleep(self, ms: int) -> None:
        self.mono_ms += ms

    def do(self, command: c.Command[Any], actor: Actor = ANA, client: str = "") -> Any:
        caller = Caller(actor, client or f"{actor.id}-pc", f"cmd-{len(self.log)}")
        artifact = concerns(self, command)
        due = None if artifact is None else settle(self, artifact, self.now)
        if due is not None:
            self._apply(due, SYSTEM, caller)
        decision = decide(self, command, caller, self.now)
        self._apply(decision, actor, caller)
        return decision.ok

    def types(self) -> list[str]:
        return [event.type for event in self.log]

    def _apply(self, decision: Decision, actor: Actor, caller: Caller) -> None:
        self.blobs |= decision.blobs
        for fact in decision.facts:
            event = Event(
                v=1,
                seq=len(self.log) + 1,
                chain="",
                ts=self.now.wall,
                actor=actor_data(actor),
                client=caller.client,
                cmd=caller.command,
                type=fact.event_type(),
                data=fact.to_data(),
            )
            changes = project(self, event)
            self.log.append(event)
            self._write(changes.put, changes.drop)
        self._write(decision.put, decision.drop)

    def _write(self, put: list[Row], drop: list[Row]) -> None:
        for row in drop:
            self.rows.pop((type(row), tuple(getattr(row, name) for name in row.KEY)), None)
        for row in put:
            self.rows[type(row), tuple(getattr(row, name) for name in row.KEY)] = row
