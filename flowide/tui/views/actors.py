"""Who is here, what they do, and the one colour each of them keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from flowide.text import one_line
from flowide.tui.views.snapshot import Looked, Person, Seat, Snapshot
from flowide.tui.views.spans import Span, clean, width_of
from flowide.tui.views.words import clock_time

if TYPE_CHECKING:
    from flowide.domain.rows import Lock, Step
    from flowide.space.queries import RunView
    from flowide.space.wire.frames import Present

COLOURS = 6
LONGEST_TITLE = 24
"""Characters of a thread's title in the line of those who are here."""
MOST_MARKS = 3
"""Dots beside one row."""


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


def others(present: Iterable[Present], me: str) -> tuple[Person, ...]:
    """The other people among those who are connected, and what each looks at in the window that says so last."""
    people: dict[str, Looked] = {}
    for each in present:
        if each.kind == "human" and each.actor != me:
            looked = Looked(each.at, each.at_thread, each.at_run)
            people[each.actor] = looked if looked != Looked() else people.get(each.actor, looked)
    return tuple(Person(handle, looked) for handle, looked in people.items())


def presence(state: Snapshot, book: Mapping[str, str], room: int = 120) -> list[Span]:
    """`● ana  ● rod plan.md  ■ mia cache.py  ◐ edwin writing`, me first; in less `room` (cells) names alone."""
    spans = _presence(state, book, told=True)
    return spans if width_of(spans) <= room else _presence(state, book, told=False)


def _presence(state: Snapshot, book: Mapping[str, str], *, told: bool) -> list[Span]:
    spans = [*standing_words(state), *myself(state, book)]
    busy = working(state)
    editing = {lock.lock.actor for lock in state.locks if lock.lock.state == "held"}
    for person in state.here:
        handle = person.handle
        if handle in editing and handle not in busy:
            continue  # the lock says more
        spans += [("   ● ", colour_of(book, handle)), (clean(handle), "")]
        words = looks_at_words(person.looks_at, state) if told else ""
        spans += [(f" {words}", "quiet")] if words else []
    for lock in state.locks:
        actor = lock.lock.actor
        if lock.lock.state == "held" and actor and actor != state.me and actor not in busy:
            name = lock.path.rsplit("/", 1)[-1]
            spans += [("   ■ ", colour_of(book, actor)), (clean(actor), "")]
            spans += [(f" {clean(name)}", "quiet")] if told else []
    for actor, doing in busy.items():
        spans += [("   ◐ ", colour_of(book, actor)), (clean(actor), ""), (f" {doing}", "quiet")]
    return spans


def looks_at_words(looked: Looked, state: Snapshot) -> str:
    """`plan.md`, `› Eviction`, `run research`; empty when it is not said or not known here."""
    if looked.thread is not None:
        thread = next((each for each in state.threads if each.id == looked.thread), None)
        return "a thread" if thread is None else f"› {one_line(thread.title, LONGEST_TITLE)}"
    if looked.run is not None:
        view = state.run_of(looked.run)
        return "a run" if view is None else f"run {clean(view.run.flow)}"
    return clean((looked.path or "").rsplit("/", 1)[-1])


def lookers(state: Snapshot, of: Callable[[Looked], bool]) -> list[str]:
    """Handles of the others who look at something."""
    return [person.handle for person in state.here if of(person.looks_at)]


def looker_marks(handles: Sequence[str], book: Mapping[str, str]) -> tuple[Span, ...]:
    """A dot for each of them, in their colour."""
    return tuple(("●", colour_of(book, handle)) for handle in handles[:MOST_MARKS])


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
