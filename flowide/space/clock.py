"""The arbiter's clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Protocol

from flowide.domain.actors import Now


class Clock(Protocol):
    """Tells the time to rules."""

    def now(self) -> Now:
        """All clocks at this moment."""
        ...


class SystemClock:
    """The machine's clocks; the monotonic one goes on while the machine sleeps, where it can."""

    def now(self) -> Now:
        return Now(_mono_ms(), _boot(), wall_now())


def wall_now() -> str:
    """RFC 3339 UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _mono_ms() -> int:
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    return time.monotonic_ns() // 1_000_000


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        # Without a boot id, the boot moment to the minute has to do.
        return f"boot-{round((time.time() - time.monotonic()) / 60)}"
