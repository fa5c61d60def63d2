"""The defaults of a space's limits. Lengths are bytes of UTF-8, times milliseconds."""

from __future__ import annotations

from flowide.domain.commands import MAX_TTL_MS, MIN_TTL_MS
from flowide.errors import BadInput

IDLE_MS = {"human": 15 * 60_000, "agent": 3 * 60_000, "system": 60_000}
"""A holder that shows no sign of work for so long lapses."""
LONGEST_AGENT_HOLD_MS = 10 * 60_000
"""An agent lapses after so long when somebody waits."""
LOCKS_PER_CLIENT = {"human": 20, "agent": 3, "system": 1000}
"""Locks one actor may hold through one client."""
MAX_NOTE = 16 * 1024
MAX_NAME = 200
MAX_PATH = 1024


def check_ttl(ttl_ms: int) -> None:
    """Raise BadInput unless a lease of this length is honoured."""
    if not MIN_TTL_MS <= ttl_ms <= MAX_TTL_MS:
        raise BadInput(
            f"a lease of {ttl_ms} ms is not possible", hint=f"ttl_ms goes from {MIN_TTL_MS} to {MAX_TTL_MS}."
        )


def check_text(name: str, text: str, most: int, *, least: int = 0) -> None:
    """Raise BadInput unless `text` is valid Unicode of an allowed length."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise BadInput(f"{name} is not valid Unicode", hint="Send UTF-8 text.") from None
    if not least <= size <= most:
        raise BadInput(
            f"{name} has {size} bytes", hint=f"{name} takes from {least} to {most} bytes.", limit=most
        )
