"""The form for new variations, as values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from flowide.tui.views.snapshot import Seat
from flowide.tui.views.spans import Span, clean

if TYPE_CHECKING:
    from flowide.flows.api import RunRequest


class Wanted(Struct, frozen=True, kw_only=True):
    """What was typed."""

    brief: str
    count: str = "3"
    agents: Sequence[str] = ()
    check: str = ""
    path: str = ""
    based: bool = True
    """Whether the file is there, and the variations start from it."""


def request_of(wanted: Wanted) -> RunRequest | str:
    """The run to start, or what is missing."""
    from flowide.flows.api import RunRequest

    brief = wanted.brief.strip()
    if not brief:
        return "Say what is wanted, in a sentence or two."
    typed = wanted.count.strip()
    if not typed.isdigit() or not 2 <= int(typed) <= 10:
        return "How many: a number from 2 to 10."
    if not wanted.agents:
        return "Choose at least one agent: tab to the names, then space."
    inputs: dict[str, Any] = {"n": int(typed)}
    if not wanted.path.strip():
        return "Where would an accepted one go? Name a file, new or not."
    inputs["path"] = wanted.path.strip()
    inputs["checks"] = [line.strip() for line in wanted.check.split(";") if line.strip()]
    return RunRequest(
        flow="variations",
        brief=brief,
        inputs=inputs,
        agents=list(wanted.agents),
        on_gate="wait",
    )


def seats_line(seats: Sequence[Seat], chosen: Collection[str], cursor: int | None) -> list[Span]:
    """`● edwin  ● quinn  ○ mara`, the one with the cursor marked."""
    if not seats:
        return [("No agents yet. ", "warn"), ("`flowide agents` says how to add one.", "quiet")]
    spans: list[Span] = []
    for index, seat in enumerate(seats):
        on = seat.handle in chosen
        name = f" {'●' if on else '○'} {clean(seat.handle)} "
        role = "cursor" if index == cursor else "b" if on else "quiet"
        spans += [(name, role), (" ", "")]
    if cursor is None:
        return spans
    seat = seats[cursor]
    return [*spans, (" · ".join(clean(part) for part in (seat.role, seat.label) if part), "quiet")]
