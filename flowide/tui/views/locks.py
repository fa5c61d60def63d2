"""What a lock means for the person in front of it, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING

from flowide.patterns import lazy
from flowide.text import one_line
from flowide.tui.views.actors import colour_of, is_mine
from flowide.tui.views.snapshot import Snapshot
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.words import clock_time, count, minutes

if TYPE_CHECKING:
    from flowide.space.queries import LockState


_ASKED = lazy(r"asked in thread ([0-9a-f-]{8,36}), #(\d+)")
_RUN = lazy(r"(\w+) in run ([0-9a-f-]{8,36}), \S+")
TITLE = 32
"""Characters of a thread's title in a purpose."""


def purpose_words(purpose: str, state: Snapshot) -> str:
    """What a lock is held for, with the title of the thread or the flow of the run instead of its id."""
    asked, run = _ASKED.fullmatch(purpose), _RUN.fullmatch(purpose)
    if asked is not None:
        titles = [thread.title for thread in state.threads if thread.id.startswith(asked[1])]
        return f"asked in {one_line(titles[0], TITLE)} #{asked[2]}" if titles else purpose
    if run is not None:
        flows = [view.run.flow for view in state.runs if view.run.id.startswith(run[2])]
        return f"{run[1]} for {flows[0]}" if flows else purpose
    return purpose


def named(lock: LockState | None, state: Snapshot) -> LockState | None:
    """A lock with its purpose, and those of who waits, in words."""
    from msgspec.structs import replace

    if lock is None:
        return None
    queue = [replace(ticket, purpose=purpose_words(ticket.purpose, state)) for ticket in lock.queue]
    return replace(
        lock, lock=replace(lock.lock, purpose=purpose_words(lock.lock.purpose, state)), queue=queue
    )


def lock_word(state: LockState | None, me: str, client: str) -> Span:
    """`free`, `■ yours`, `■ edwin` or `□ edwin, lapsed`."""
    if state is None or state.lock.state == "free":
        return ("free", "quiet")
    lock = state.lock
    if lock.state == "lapsed":
        return (f"□ {clean(lock.actor or '?')}, lapsed", "warn")
    if is_mine(lock, me, client):
        return ("■ yours", "good")
    return (f"■ {clean(lock.actor or '?')}", "warn")


def lock_bar(
    state: LockState | None,
    me: str,
    client: str,
    book: Mapping[str, str],
    *,
    written: str = "",
    zone: tzinfo | None = None,
) -> list[Span]:
    """The line above the hints: who holds this artifact, for what, since when, and for how long still."""
    if state is None or state.lock.state == "free":
        return [
            (" free", "quiet"),
            (" · press ", "quiet"),
            ("e", "key"),
            (" to edit", "quiet"),
        ]
    lock = state.lock
    holder = lock.actor or "?"
    mine = is_mine(lock, me, client)
    since = f" · since {clock_time(lock.since, zone)}" if lock.since else ""
    purpose = f" · {clean(lock.purpose)}" if lock.purpose else ""
    waiting = f" · {count(len(state.queue), 'waits', 'wait')}" if state.queue else ""
    if mine:
        return [
            (" ■ ", "good"),
            ("you are editing", "good b"),
            (f"{since}{waiting}{written}", "quiet"),
        ]
    if lock.state == "lapsed":
        return [
            (" □ ", "warn"),
            (f"lapsed: {clean(holder)} stopped answering", "warn"),
            (f"{purpose}{since} · ", "quiet"),
            ("e", "key"),
            (" takes over; their draft is kept", "quiet"),
        ]
    left = "" if state.expires_ms is None else f" · {minutes(state.expires_ms)} left"
    who = f"{clean(holder)}, elsewhere" if holder == me else clean(holder)
    return [
        (" ■ LOCKED ", "warn b"),
        (who, f"{colour_of(book, holder)} b"),
        (f"{purpose}{since}{left}{waiting}{written}", "quiet"),
    ]


def busy_words(data: Mapping[str, object], zone: tzinfo | None = None) -> str:
    """What to tell somebody who wanted a lock that is held; `data` comes with the `busy` error."""
    since = clock_time(str(data["since"]), zone) if data.get("since") else ""
    parts = [f"{data.get('holder') or 'Somebody'} holds it"]
    if since:
        parts[0] += f" since {since}"
    if data.get("purpose"):
        parts.append(f"for: {data['purpose']}")
    queue = data.get("queue")
    if isinstance(queue, int) and queue:
        parts.append(count(queue, "other waits", "others wait"))
    parts.append("press w to wait in line; it opens when the lock is yours")
    return clean(". ".join(parts) + ".")
