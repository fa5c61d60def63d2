"""Doubles that ship: a space in memory, and a clock that is told the time."""

from flowide.testing.memory import ManualClock, MemorySpace

__all__ = ["ManualClock", "MemorySpace"]
