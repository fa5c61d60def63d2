"""How long a run, and the locks it takes, outlive a process that is gone."""

from __future__ import annotations

from flowide.space.api import Space

LEASE_MS = 6_000
"""A run whose process is gone can be gone on with after so long; it is renewed three times as often."""


def lock_ms(space: Space) -> int:
    """Milliseconds of the locks a run takes: they end with its lease, so that whoever goes on finds them free."""
    return min(LEASE_MS, space.ttl_ms)
