"""Texts on their way into commands."""

from __future__ import annotations

from flowide.domain.commands import MAX_INLINE
from flowide.space.api import Space

MAX_KEPT = 64 * 1024
"""Characters of a result that later steps see."""


async def inline_or_blob(space: Space, text: str) -> tuple[str | None, str | None]:
    """`(text, blob)` for a command: the text itself, or the name of a blob that was put when it is long."""
    data = text.encode()
    return (text, None) if len(data) <= MAX_INLINE else (None, await space.put_blob(data))
