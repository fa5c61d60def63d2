"""The log in words, newest first, with who did it in their colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Literal

from msgspec import Struct

from flowide.domain.events import Event
from flowide.domain.facts import FACTS
from flowide.project.story import tell
from flowide.text import one_line
from flowide.tui.views.actors import colour_of
from flowide.tui.views.spans import Row, Span, clean
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


class Sieve(Struct, frozen=True):
    """Which events are wanted; what is empty lets all through."""

    actor: str = ""
    family: str = ""
    """First part of the type: `lock`, `variation` …"""
    artifact: str = ""
    """Id."""
    words: str = ""
    """All of them occur in what the event says, its type or its actor."""

    @property
    def open(self) -> bool:
        """Whether all events are wanted."""
        return not (self.actor or self.family or self.artifact or self.words.strip())

    def fits(self, event: Event, paths: Mapping[str, str]) -> bool:
        """Whether an event is wanted."""
        if self.actor and event.actor.get("id") != self.actor:
            return False
        if self.family and event.type.partition(".")[0] != self.family:
            return False
        if self.artifact and self.artifact not in {event.data.get("artifact"), event.data.get("about")}:
            return False
        if not self.words.strip():
            return True
        said = f"{event.actor.get('id')} {event.type} {tell(event, paths)}".casefold()
        return all(word in said for word in self.words.casefold().split())


def families() -> list[str]:
    """First parts of all types of events there are."""
    return sorted({name.partition(".")[0] for name in FACTS})


def sieve_spans(sieve: Sieve, paths: Mapping[str, str]) -> list[Span]:
    """What is wanted, in words."""
    parts = [
        ("by", sieve.actor),
        ("about", sieve.family),
        ("file", paths.get(sieve.artifact, sieve.artifact)),
        ("with", sieve.words.strip()),
    ]
    spans: list[Span] = []
    for name, value in parts:
        if value:
            spans += [(f"  {name} ", "quiet"), (clean(value), "accent b")]
    return spans


class Place(Struct, frozen=True):
    """What an event is about, as far as one can go there."""

    kind: Literal["artifact", "variation", "run", "thread", "decision"]
    ref: str
    number: int | None = None
    """Version of an artifact, number of a variation."""


def place_of(event: Event) -> Place | None:
    """Where an event leads; None = nowhere."""
    data, family = event.data, event.type.partition(".")[0]
    number = data.get("number") if family == "variation" else data.get("version")
    number = number if isinstance(number, int) else None
    found: list[tuple[Literal["artifact", "variation", "run", "thread", "decision"], object]] = [
        ("variation", data.get("set") if family == "variation" else None),
        ("thread", data.get("thread") if family in {"message", "thread", "turn"} else None),
        ("decision", data.get("decision") if family == "decision" else None),
        ("run", data.get("run") if family in {"run", "gate", "review"} else None),
        ("artifact", data.get("artifact")),
        ("run", data.get("run")),
    ]
    kind, ref = next(((kind, ref) for kind, ref in found if isinstance(ref, str)), ("", ""))
    return None if not ref else Place(kind, ref, number)  # type: ignore[arg-type]  # one of the names above
