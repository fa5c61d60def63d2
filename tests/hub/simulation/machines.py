"""Machines and the processes on them: each machine has clocks of its own, sleeps, and is killed."""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import Context, ContextVar, copy_context
from typing import Any

NS = 1_000_000_000
MS = 1_000_000
_WALL_NS = 1_800_000_000 * NS
"""Unix time at which every simulation begins."""
_MONO_NS = 5_000 * NS


class Machine:
    """Clocks of one machine; in nanoseconds, as the world's time is."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.slept = 0
        """Nanoseconds that it slept, without the sleep it is in."""
        self.asleep_since: int | None = None
        self.wall_skew = 0
        """By how much its wall clock is wrong."""
        self.boots = 0
        self.dark = False
        """It has no power: nothing there answers, until a process begins."""

    def mono(self, world: int) -> int:
        """The clock that stops while the machine sleeps."""
        at = world if self.asleep_since is None else self.asleep_since
        return _MONO_NS + at - self.slept

    def boottime(self, world: int) -> int:
        """The clock that goes on while it sleeps."""
        return _MONO_NS + world

    def wall(self, world: int) -> int:
        """Unix time, as the machine has it."""
        return _WALL_NS + world + self.wall_skew

    @property
    def boot(self) -> str:
        """Id of its boot."""
        return f"{self.name}-boot-{self.boots}"


class Process:
    """A process on a machine: what it schedules runs while it is alive and its machine awake."""

    def __init__(self, machine: Machine, number: int) -> None:
        self.machine = machine
        self.number = number
        self.alive = True
        self.tasks: list[asyncio.Task[Any]] = []
        """All it ever began; kept, so that nothing of a killed process is ended by the garbage collector."""
        self.sockets: dict[Any, None] = {}
        """Its open connections."""
        self.context: Context = copy_context()
        self.context.run(_CURRENT.set, self)

    @property
    def name(self) -> str:
        """Names it in the history."""
        return f"{self.machine.name}#{self.number}"

    @property
    def runs(self) -> bool:
        """Whether it can do anything now."""
        return self.alive and self.machine.asleep_since is None


_CURRENT: ContextVar[Process | None] = ContextVar("process", default=None)


def current() -> Process | None:
    """The process whose code runs now; None = the world around them."""
    return _CURRENT.get()


def of_context(context: Context | None) -> Process | None:
    """The process a callback belongs to."""
    return _CURRENT.get() if context is None else context.get(_CURRENT)


def dispose(process: Process) -> None:
    """Let go of what a process left, without its `finally` blocks being told on."""
    for task in process.tasks:
        if not task.done():
            task._log_destroy_pending = False  # type: ignore[attr-defined] # it is pending on purpose
            for _ in range(100):  # a `finally` that awaits refuses to end; it is at its next one then
                with contextlib.suppress(BaseException):
                    task.get_coro().close()
                    break
    process.tasks.clear()
