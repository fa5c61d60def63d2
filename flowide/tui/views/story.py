"""The log in words, newest first, with who did it in their colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from flowide.domain.events import Event
from flowide.project.story import tell
from flowide.text import one_line
from flowide.tui.views.actors import colour_of
from flowide.tui.views.spans import Row, clean
from flowide.tui.views.words import clock_time


def log_rows(
    events: Sequence[Event], paths: Mapping[str, str], book: Mapping[str, str], zone: tzinfo | None = None
) -> list[Row]:
    """A row an event, newest first."""
    found = []
    for event in reversed(events):
        actor = str(event.actor.get("id", "?"))
        sign = {"agent": "◐", "human": "●"}.get(str(event.actor.get("kind")), "○")
        colour = colour_of(book, actor)
        left = (
            (f"{event.seq:>6}  ", "quiet"),
            (clock_time(event.ts, zone), "quiet"),
            (f"  {sign} ", colour),
            (f"{clean(actor):<10.10} ", colour),
            (one_line(tell(event, paths), 400), ""),
        )
        found.append(Row(left, (), event.seq))
    return found
