"""Reads that no other module of the engine needs: the log, the full-text search."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from flowide.domain.events import Event
from flowide.errors import NotFound
from flowide.space import queries as q
from flowide.tui.engine.session import Session
from flowide.tui.highlight import Highlighter, language_of
from flowide.tui.views.artifact import is_prose
from flowide.tui.views.found import Found, Kind, first_line
from flowide.tui.views.spans import Span, clean, lines_of
from flowide.tui.views.stats import Counted, count_event
from flowide.tui.views.story import Sieve
from flowide.tui.views.words import clock_time

MOST_FOUND = 300
MOST_SEARCHED = 1 << 20
"""Bytes of a file that is searched."""
SEARCH_S = 3.0
"""Seconds a search over files may take."""
KINDS: tuple[Kind, ...] = ("file", "variation", "message", "decision", "version")
"""In the order in which they are listed."""


async def newest_events(
    session: Session, after: int | None, most: int, sieve: Sieve, paths: Mapping[str, str]
) -> tuple[list[Event], int]:
    """The newest events that are wanted, oldest first, and the position up to which the log was read.

    With `after` those above it; else the last `most`, for which a sieve goes through the whole log.
    """
    head = await session.space.head()
    start = after if after is not None else max(0, head - most) if sieve.open else 0
    kept: deque[Event] = deque(maxlen=most)
    async for event in session.space.events(start):
        head = max(head, event.seq)
        await _breathe(event)
        if sieve.fits(event, paths):
            kept.append(event)
    return list(kept), head


async def _breathe(event: Event) -> None:
    """Let others have the loop now and then: locks are kept alive on it."""
    if event.seq % 500 == 0:
        await asyncio.sleep(0)


async def numbers(session: Session, since: str) -> tuple[q.StatsView, Counted]:
    """What the log says of how the space is used, from a time on; empty = all of it."""
    totals = await session.space.read(q.Stats(since))
    counted = Counted()
    async for event in session.space.events(0):
        await _breathe(event)
        if event.ts >= since:
            count_event(counted, event)
        if event.seq >= totals.events:
            break
    return totals, counted


class Preview(Struct, frozen=True):
    """What is around a place that was found."""

    title: tuple[Span, ...]
    lines: tuple[str, ...]
    colours: Highlighter | None
    at: int
    """The line to show, from 0."""
    wraps: bool


async def search(session: Session, typed: str, kinds: Sequence[Kind]) -> list[Found]:
    """Lines of the project's files that hold all the words, then variations, messages, decisions that do."""
    words = typed.casefold().split()
    if not words:
        return []
    found: list[Found] = []
    if "file" in kinds:
        root = session.folder.root
        found += await asyncio.to_thread(_in_files, root, session.folder.scan(), words)
    if set(kinds) - {"file"}:
        hits = await session.space.read(q.Search(typed, MOST_FOUND, history="version" in kinds))
        others = [_of_hit(hit) for hit in hits if hit.kind in kinds]
        found += sorted(
            others, key=lambda each: (KINDS.index(each.kind), each.title, len(each.label), each.label)
        )
    return found


def _of_hit(hit: q.Hit) -> Found:
    owner, _, number = hit.ref.rpartition("@" if hit.kind == "version" else "/")
    if hit.kind == "variation":
        return Found(
            "variation", hit.ref, hit.title.rpartition(", ")[0] or hit.title, None, hit.excerpt, number
        )
    if hit.kind == "message":
        return Found(
            "message", hit.ref, hit.title.rpartition(", ")[0] or hit.title, None, hit.excerpt, f"#{number}"
        )
    if hit.kind == "version":
        return Found(
            "version", hit.ref, hit.title.rpartition("@")[0] or owner, None, hit.excerpt, f"v{number}"
        )
    return Found("decision", hit.ref, "decisions", None, hit.excerpt, f"D{hit.title.rpartition(' ')[2]}")


async def preview(session: Session, found: Found, typed: str) -> Preview:
    """The text around a place that was found.

    Raises:
        NotFound: It is gone.
    """
    if found.kind == "message":
        thread, _, number = found.ref.rpartition("/")
        message = await session.space.read(q.OneMessage(number, thread))
        title = ((clean(message.actor), "b"), (f"  #{message.number} · {clock_time(message.ts)}", "quiet"))
        return await _prepared(title, message.text, "message.md", first_line(message.text, typed))
    if found.kind == "decision":
        decision = await session.space.read(q.OneDecision(found.ref))
        title = ((f"D{decision.number}", "b"), (f"  {decision.status} · by {clean(decision.actor)}", "quiet"))
        return await _prepared(title, decision.text, "decision.md", 0)
    if found.kind == "variation":
        set_id, _, number = found.ref.rpartition("/")
        text = await session.space.read(q.VariationText(set_id, int(number)))
        path = next(
            (each.path for each in await session.space.read(q.VariationSets()) if each.id == set_id), None
        )
        title = ((f"variation {number}", "b"), (f"  {clean(found.title)}", "quiet"))
        return await _prepared(title, text, path or "", first_line(text, typed))
    if found.kind == "version":
        artifact, _, number = found.ref.rpartition("@")
        data = await session.space.read(q.Content(artifact, int(number)))
        text = data.decode(errors="replace")
        title = ((clean(found.title), "b"), (f"  v{number}", "quiet"))
        return await _prepared(title, text, found.title, first_line(text, typed))
    try:
        data = await asyncio.to_thread((session.folder.root / found.ref).read_bytes)
    except OSError as error:
        raise NotFound(f"{found.ref} cannot be read: {error.strerror}") from error
    return await _prepared(
        ((clean(found.ref), "b"),), data.decode(errors="replace"), found.ref, found.line or 0
    )


async def _prepared(title: tuple[Span, ...], text: str, path: str, at: int) -> Preview:
    lines = lines_of(text)
    colours = await asyncio.to_thread(Highlighter, lines, language_of(path))
    return Preview(title, tuple(lines), colours, at, is_prose(path))


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
