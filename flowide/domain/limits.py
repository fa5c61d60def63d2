"""Limits that are the same in every space. Lengths are bytes of UTF-8, times milliseconds."""

from __future__ import annotations

from flowide.domain.commands import MAX_TTL_MS, MIN_TTL_MS
from flowide.errors import BadInput

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
