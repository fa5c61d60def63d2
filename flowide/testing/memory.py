"""A real space that keeps nothing: the same rules and arbiter, in dicts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flowide.domain.actors import Actor, Now
from flowide.space.clock import Clock
from flowide.space.local import LocalSpace
from flowide.store.memory import MemoryStore

ANA = Actor("ana")


class ManualClock:
    """A clock that stands still until it is told to move on."""

    def __init__(self) -> None:
        self.mono_ms = 1_000_000
        self.boot = "boot-1"

    def sleep(self, ms: int) -> None:
        """Let time pass."""
        self.mono_ms += ms

    def now(self) -> Now:
        wall = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.mono_ms)
        return Now(self.mono_ms, self.boot, wall.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


class MemorySpace(LocalSpace):
    """Implements `Space`; everything is gone when the process ends."""

    def __init__(self, actor: Actor = ANA, *, client: str | None = None, clock: Clock | None = None) -> None:
        super().__init__(MemoryStore(), actor, client=client, clock=clock)
