"""The arbiter's clocks."""

from __future__ import annotations

import time
from functools import cache, lru_cache
from pathlib import Path
from typing import Protocol

from flowide.domain.actors import Now

_MONOTONIC: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Tells the time to rules."""

    def now(self) -> Now:
        """All clocks at this moment."""
        ...


class SystemClock:
    """The machine's clocks; the monotonic one goes on while the machine sleeps, where it can."""

    def now(self) -> Now:
        return Now(time.clock_gettime_ns(_MONOTONIC) // 1_000_000, _boot(), wall_now())


def wall_now() -> str:
    """RFC 3339 UTC with milliseconds."""
    seconds, ms = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{_second(seconds)}.{ms:03d}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        # Without a boot id, the boot moment to the minute has to do.
        return f"boot-{round((time.time() - time.monotonic()) / 60)}"
