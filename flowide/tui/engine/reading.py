"""Reads that no other module of the engine needs: the log, the full-text search."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from flowide.domain.events import Event
from flowide.space import queries as q
from flowide.tui.engine.session import Session
from flowide.tui.views.found import Found

MOST_FOUND = 300
MOST_SEARCHED = 1 << 20
"""Bytes of a file that is searched."""
SEARCH_S = 3.0
"""Seconds a search over files may take."""


async def newest_events(session: Session, after: int | None, most: int) -> list[Event]:
    """The newest events, oldest first: those above `after`, or the last `most` of all."""
    start = after if after is not None else max(0, await session.space.head() - most)
    kept: deque[Event] = deque(maxlen=most)
    async for event in session.space.events(start):
        kept.append(event)
    return list(kept)


async def search(session: Session, typed: str) -> list[Found]:
    """Lines of the project's files that hold all the words, then variations that do."""
    words = typed.casefold().split()
    if not words:
        return []
    root = session.folder.root
    lines = await asyncio.to_thread(_in_files, root, session.folder.scan(), words)
    hits = [hit for hit in await session.space.read(q.Search(typed, MOST_FOUND)) if hit.kind == "variation"]
    return [*lines, *(Found("variation", hit.ref, hit.title, None, hit.excerpt) for hit in hits)]


def _in_files(root: Path, paths: Iterator[str], words: list[str]) -> list[Found]:
    until = time.monotonic() + SEARCH_S
    found: list[Found] = []
    for path in paths:
        if len(found) >= MOST_FOUND or time.monotonic() > until:
            break
        try:
            if (root / path).stat().st_size > MOST_SEARCHED:
                continue
            data = (root / path).read_bytes()
        except OSError:
            continue
        if b"\0" in data[:1024]:
            continue
        text = data.decode(errors="replace")
        if not all(word in text.casefold() for word in words):
            continue
        for number, line in enumerate(text.split("\n")):
            folded = line.casefold()
            if all(word in folded for word in words):
                found.append(Found("file", path, path, number, line.strip()))
                if len(found) >= MOST_FOUND:
                    break
    return found
