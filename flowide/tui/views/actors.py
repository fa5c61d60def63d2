"""Who is here, what they do, and the one colour each of them keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flowide.tui.views.snapshot import Seat, Snapshot
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.words import clock_time

if TYPE_CHECKING:
    from flowide.domain.rows import Lock, Step
    from flowide.space.queries import RunView

COLOURS = 6


def colour_book(seats: tuple[Seat, ...], me: str) -> dict[str, str]:
    """Colour role of each known handle: its agent file's wish, else the next that is free."""
    book = {
        seat.handle: seat.colour
        for seat in seats
        if seat.colour and seat.colour.startswith("agent-") and seat.colour[6:].isdigit()
    }
    free = [f"agent-{n}" for n in range(1, COLOURS + 1) if f"agent-{n}" not in book.values()]
    for seat in seats:
        if seat.handle not in book:
            book[seat.handle] = free.pop(0) if free else by_name(seat.handle)
    book.setdefault(me, free.pop(0) if free else by_name(me))
    return book


def by_name(handle: str) -> str:
    """A colour for a handle nobody announced; the same in every session."""
    return f"agent-{sum(handle.encode()) % COLOURS + 1}"


def colour_of(book: Mapping[str, str], handle: str) -> str:
    """Colour role of an actor; the disk and the system have none."""
    if handle in {"disk", "system"}:
        return "quiet"
    return book.get(handle) or by_name(handle)


def presence(state: Snapshot, book: Mapping[str, str]) -> list[Span]:
    """`● ana  ■ mia cache.py  ◐ edwin writing`, me first."""
    spans = [*standing_words(state), *myself(state, book)]
    busy = working(state)
    for handle in state.here:
        spans += [("   ● ", colour_of(book, handle)), (clean(handle), "")]
    for lock in state.locks:
        actor = lock.lock.actor
        if lock.lock.state == "held" and actor and actor != state.me and actor not in busy:
            name = lock.path.rsplit("/", 1)[-1]
            spans += [("   ■ ", colour_of(book, actor)), (clean(actor), ""), (f" {clean(name)}", "quiet")]
    for actor, doing in busy.items():
        spans += [("   ◐ ", colour_of(book, actor)), (clean(actor), ""), (f" {doing}", "quiet")]
    return spans


def myself(state: Snapshot, book: Mapping[str, str]) -> list[Span]:
    """`● ana`"""
    return [("● ", colour_of(book, state.me)), (clean(state.me), "")]


def standing_words(state: Snapshot) -> list[Span]:
    """`offline since 10:41 · 3 to be sent`; nothing when the hub is there, or there is none."""
    standing = state.standing
    if standing is None or standing.state == "online":
        return []
    words = "catching up with the hub" if standing.state == "resyncing" else "offline"
    waits = f" · {standing.waiting} to be sent" if standing.waiting else ""
    return [
        ("○ ", "warn b"),
        (f"{words} since {clock_time(standing.since)}", "warn b"),
        (f"{waits}   ", "quiet"),
    ]


def working(state: Snapshot) -> dict[str, str]:
    """What each agent does now, by handle."""
    busy: dict[str, str] = {}
    for view in state.runs:
        if view.run.status == "running" and view.alive:
            busy.update(_in_run(view))
    return busy


def _in_run(view: RunView) -> dict[str, str]:
    words = {
        "vary": "writing",
        "more": "writing",
        "critique": "reading",
        "resolve": "choosing",
        "discuss": "talking",
        "edit": "editing",
    }
    return {
        worker_of(step): words[step.kind]
        for step in view.steps
        if step.status == "started" and step.kind in words and step.result.get("agent")
    }


def worker_of(step: Step) -> str:
    """Who does a step: the agent that was asked, else who drives the run."""
    return str(step.result.get("agent") or step.actor or "?")


def is_mine(lock: Lock, me: str, client: str) -> bool:
    """Whether this very process holds the lock."""
    return lock.state != "free" and lock.actor == me and lock.client == client
