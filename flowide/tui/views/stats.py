"""How a space is used: activity, locks, waits, cost, acceptance; counted from the log and drawn as plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct

from flowide.domain.events import Event
from flowide.tui.views.actors import colour_of
from flowide.tui.views.plots import bar, binned, share, sparkline
from flowide.tui.views.spans import Span, clean, fit, width_of
from flowide.tui.views.words import count, dollars, duration

if TYPE_CHECKING:
    from flowide.space.queries import StatsView

Line = list[Span]

PERIODS: tuple[tuple[str, int | None], ...] = (
    ("all time", None),
    ("30 days", 30),
    ("7 days", 7),
    ("24 hours", 1),
)
"""Name, and days back."""
MOST_ACTORS = 10
"""Rows of a plot; the busiest go first."""
NAME = 12
"""Cells for a handle."""
_BUCKETS: tuple[tuple[str, int], ...] = (
    ("under 1 s", 1_000),
    ("to 10 s", 10_000),
    ("to 1 min", 60_000),
    ("to 5 min", 300_000),
    ("to 15 min", 900_000),
    ("longer", 1 << 62),
)


class Counted(Struct, kw_only=True):
    """What the plots need beside the totals; filled by `count_event`."""

    times: dict[str, list[float]] = {}
    """Seconds since the epoch of what each actor did."""
    holds: list[int] = []
    """Milliseconds that locks were held, each hold once."""
    waits: list[int] = []
    """Milliseconds that were waited for a lock that came."""
    held: dict[str, float] = {}
    """Locks that are held: since when, by artifact."""
    queued: dict[str, float] = {}


_GRANTS = {"lock.acquired", "lock.transferred"}


def count_event(counted: Counted, event: Event) -> None:
    """Take in the next event of the log."""
    at = datetime.fromisoformat(event.ts).timestamp()
    counted.times.setdefault(str(event.actor.get("id", "?")), []).append(at)
    data = event.data
    if event.type in _GRANTS or event.type in {"lock.released", "lock.forced"}:
        artifact = str(data.get("artifact"))
        since = counted.held.pop(artifact, None)
        if since is not None:
            counted.holds.append(round((at - since) * 1000))
        if event.type in _GRANTS or data.get("new_fence") is not None:
            counted.held[artifact] = at
    elif event.type == "lock.queued":
        counted.queued[str(data.get("ticket"))] = at
    elif event.type == "lock.dequeued":
        since = counted.queued.pop(str(data.get("ticket")), None)
        if since is not None and data.get("why") == "granted":
            counted.waits.append(round((at - since) * 1000))


def page(
    stats: StatsView, counted: Counted, book: Mapping[str, str], width: int, zone: tzinfo | None = None
) -> list[Line]:
    """The whole page; two plots beside each other where there is room."""
    lines: list[Line] = [[], *_summary(stats, width), []]
    lines += [*_activity(counted, book, width, zone), []]
    cards = [
        _buckets("LOCK HOLDS", "how long they were held", counted.holds, "Nobody has held a lock yet."),
        _buckets(
            "WAITS",
            "how long somebody stood in line",
            counted.waits,
            "Nobody has had to wait for a lock.",
        ),
        _held(stats, book),
        _saves(stats, book),
        _cost(stats, book),
        _acceptance(stats, book),
    ]
    if width < 92:
        for card in cards:
            lines += [*card.lines(width), []]
        return [fit(line, width, pad=False) for line in lines]
    half = (width - 4) // 2
    for left, right in zip(cards[::2], cards[1::2], strict=True):
        lines += [*_beside(left.lines(half), right.lines(half), half), []]
    return [fit(line, width, pad=False) for line in lines]


class Bar(Struct, frozen=True):
    """One row of a plot."""

    name: str
    role: str
    value: float
    words: str
    note: str = ""
    """After the name."""
    whole: float | None = None
    """What the value is a part of; None = bars are compared with each other."""


class Card(Struct, frozen=True):
    """A plot with a heading."""

    title: str
    about: str
    bars: Sequence[Bar]
    nothing: str
    name: int = NAME

    def lines(self, width: int) -> list[Line]:
        """Drawn in lines of at most `width` cells."""
        head: Line = [(self.title, "accent b"), (f"  {self.about}", "quiet")]
        if not any(each.value or each.whole for each in self.bars):
            return [fit(head, width, pad=False), [(self.nothing, "quiet")]]
        most = max(each.value for each in self.bars)
        words = max(len(each.words) for each in self.bars)
        name = min(self.name, max(6, width // 3))
        room = max(4, width - name - words - 2)
        drawn = [fit(head, width, pad=False)]
        for each in self.bars:
            named = [
                (clean(each.name), each.role or "quiet"),
                (f" {clean(each.note)}" if each.note else "", "quiet"),
            ]
            line: Line = [*fit(named, name - 1), (" ", "")]
            if each.whole is None:
                line.append((f"{bar(each.value, most, room):<{room}}", each.role or "secondary"))
            else:
                full, empty = share(each.value, each.whole, room)
                line += [(full, each.role or "secondary"), (empty, "hairline")]
            line.append((f" {each.words:>{words}}", ""))
            drawn.append(line)
        return drawn


def _beside(left: list[Line], right: list[Line], half: int) -> list[Line]:
    height = max(len(left), len(right))
    padded = [fit(line, half) for line in [*left, *([[]] * (height - len(left)))]]
    return [
        [*one, ("    ", ""), *other]
        for one, other in zip(padded, [*right, *([[]] * (height - len(right)))], strict=True)
    ]


def _summary(stats: StatsView, width: int) -> list[Line]:
    versions = sum(each.saves for each in stats.actors)
    made, taken = sum(each.variations for each in stats.actors), sum(each.accepted for each in stats.actors)
    calls = sum(each.calls for each in stats.models)
    cost = sum(each.cost_micros for each in stats.models)
    unpriced = sum(each.unpriced for each in stats.models)
    parts = [
        (f"{versions:,}", "version" if versions == 1 else "versions"),
        (f"{made:,}", "variation" if made == 1 else "variations"),
        (f"{taken:,}", "accepted"),
        (f"{calls:,}", "answer of agents" if calls == 1 else "answers of agents"),
        (
            dollars(cost) or "$0.00",
            f"and {count(unpriced, 'answer')} of unknown price" if unpriced else "spent",
        ),
    ]
    lines: list[Line] = [[]]
    for number, words in parts:
        part: Line = [(number.replace(",", "\u202f"), "b"), (f" {words}    ", "quiet")]
        if lines[-1] and width_of([*lines[-1], *part]) > width:
            lines.append([])
        lines[-1] += part
    return lines


def _activity(counted: Counted, book: Mapping[str, str], width: int, zone: tzinfo | None) -> list[Line]:
    head: Line = [("ACTIVITY", "accent b"), ("  what each of you did, over time", "quiet")]
    everything = [at for times in counted.times.values() for at in times]
    if not everything:
        return [head, [("Nothing has happened in this time.", "quiet")]]
    start, end = min(everything), max(everything)
    room = max(8, min(160, width - NAME - 10))
    busiest = sorted(counted.times.items(), key=lambda each: -len(each[1]))[:MOST_ACTORS]
    parts = {actor: binned(times, start, end, room) for actor, times in busiest}
    most = max(max(part, default=0) for part in parts.values())
    lines = [head]
    for actor, times in busiest:
        colour = colour_of(book, actor)
        lines.append(
            [
                (f"{clean(actor):<{NAME}.{NAME}}", colour),
                (sparkline(parts[actor], most), colour),
                (f"  {len(times):>6,}".replace(",", "\u202f"), ""),
            ]
        )
    first, last = _moment(start, end, zone), _moment(end, start, zone)
    lines.append([(" " * NAME, ""), (f"{first}{last:>{max(1, room - len(first))}}", "quiet")])
    return lines


def _moment(at: float, other: float, zone: tzinfo | None) -> str:
    when = datetime.fromtimestamp(at).astimezone(zone)
    same_day = when.date() == datetime.fromtimestamp(other).astimezone(zone).date()
    if abs(other - at) < 300:
        return when.strftime("%H:%M:%S")
    return when.strftime("%H:%M" if same_day else "%-d %b %H:%M")


def _buckets(title: str, about: str, spans: Sequence[int], nothing: str) -> Card:
    found = [0] * len(_BUCKETS)
    for ms in spans:
        found[next(at for at, (_, most) in enumerate(_BUCKETS) if ms < most)] += 1
    bars = [Bar(name, "", many, f"{many:,}") for (name, _), many in zip(_BUCKETS, found, strict=True)]
    if spans:
        ordered = sorted(spans)
        about = f"{about}; half under {duration(ordered[len(ordered) // 2])}"
    return Card(title, about, bars, nothing)


def _held(stats: StatsView, book: Mapping[str, str]) -> Card:
    bars = [
        Bar(
            each.actor,
            colour_of(book, each.actor),
            each.held_ms,
            f"{duration(each.held_ms)} · {count(each.locks, 'lock')}",
        )
        for each in sorted(stats.actors, key=lambda each: -each.held_ms)
        if each.locks
    ]
    return Card("HELD BY", "all their locks together", bars[:MOST_ACTORS], "Nobody has held a lock yet.")


def _saves(stats: StatsView, book: Mapping[str, str]) -> Card:
    bars = [
        Bar(each.actor, colour_of(book, each.actor), each.saves, f"{each.saves:,}")
        for each in sorted(stats.actors, key=lambda each: -each.saves)
        if each.saves
    ]
    return Card("VERSIONS", "saved, accepted, restored", bars[:MOST_ACTORS], "No version was made yet.")


def _cost(stats: StatsView, book: Mapping[str, str]) -> Card:
    models = [each for each in stats.models if each.calls]
    by_cost = any(each.cost_micros for each in models)
    title, about = (
        ("COST", "by agent and model") if by_cost else ("TOKENS", "by agent and model; nothing was paid for")
    )
    bars = []
    for each in sorted(models, key=lambda each: (-each.cost_micros, -each.input_tokens - each.output_tokens)):
        tokens = each.input_tokens + each.output_tokens
        price = dollars(each.cost_micros) or ("price unknown" if each.unpriced else "$0")
        words = f"{price} · {_thousands(tokens)} tok"
        value = each.cost_micros if by_cost else tokens
        bars.append(Bar(each.agent, colour_of(book, each.agent), value, words, note=each.model))
    return Card(title, about, bars[:MOST_ACTORS], "No agent has answered yet.", name=26)


def _acceptance(stats: StatsView, book: Mapping[str, str]) -> Card:
    bars = [
        Bar(
            each.actor,
            colour_of(book, each.actor),
            each.accepted,
            f"{each.accepted} of {each.variations}  {100 * each.accepted // each.variations:>3} %",
            whole=each.variations,
        )
        for each in sorted(
            stats.actors, key=lambda each: (-each.accepted / max(1, each.variations), each.actor)
        )
        if each.variations
    ]
    return Card("ACCEPTED", "of the variations each made", bars[:MOST_ACTORS], "There are no variations yet.")


def _thousands(number: int) -> str:
    """`812`, `22 k`, `1.3 M`."""
    if number < 10_000:
        return f"{number:,}".replace(",", "\u202f")
    return f"{number / 1000:.0f} k" if number < 1_000_000 else f"{number / 1_000_000:.1f} M"
