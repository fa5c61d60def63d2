"""Plots in text, and the page of statistics."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowide.domain.events import Event
from flowide.space.queries import ActorStats, ModelStats, StatsView
from flowide.tui.views.plots import bar, binned, share, sparkline
from flowide.tui.views.spans import plain, width_of
from flowide.tui.views.stats import Counted, count_event, page

values = st.floats(0, 1e6)


@given(values, values, st.integers(0, 80))
def test_a_bar_fits_and_what_is_not_nothing_is_seen(value: float, most: float, width: int) -> None:
    drawn = bar(value, most, width)
    assert len(drawn) <= width
    if value > 0 and most > 0 and width > 0:
        assert drawn


def test_a_bar_is_exact_to_half_a_cell() -> None:
    assert (bar(1, 1, 4), bar(1, 2, 4), bar(3, 8, 4)) == ("━━━━", "━━", "━╸")


@given(values, values, st.integers(1, 80))
def test_a_share_fills_its_line(part: float, whole: float, width: int) -> None:
    assert sum(map(len, share(part, whole, width))) == width


def test_a_sparkline_has_a_sign_for_each_value() -> None:
    assert sparkline([0, 1, 4, 8]) == " ▂▅█"
    assert sparkline([0, 0]) == "  "
    assert sparkline([]) == ""


@given(st.lists(st.floats(0, 10), max_size=30), st.integers(1, 20))
def test_every_place_is_in_one_part(places: list[float], many: int) -> None:
    assert sum(binned(places, 0, 10, many)) == len(places)


def event(second: int, type: str, by: str = "mia", **data: Any) -> Event:
    at = f"2026-11-26T10:{second // 60:02}:{second % 60:02}Z"
    return Event(1, second, "00", at, {"id": by, "kind": "human"}, "c", "x", type, data)


def counted(*events: Event) -> Counted:
    found = Counted()
    for each in events:
        count_event(found, each)
    return found


def test_holds_and_waits_are_counted_from_the_log() -> None:
    found = counted(
        event(0, "lock.acquired", artifact="a", holder={"actor": "mia"}),
        event(2, "lock.queued", "bob", artifact="a", ticket="t", actor="bob"),
        event(5, "lock.queued", "eve", artifact="a", ticket="u", actor="eve"),
        event(10, "lock.released", artifact="a", fence=1),
        event(10, "lock.dequeued", "bob", ticket="t", why="granted", actor="bob"),
        event(10, "lock.acquired", "bob", artifact="a", holder={"actor": "bob"}),
        event(11, "lock.dequeued", "eve", ticket="u", why="left", actor="eve"),
        event(40, "lock.forced", artifact="a", new_fence=None),
    )
    assert (found.holds, found.waits, found.held) == ([10_000, 30_000], [8_000], {})
    assert {actor: len(times) for actor, times in found.times.items()} == {"mia": 3, "bob": 3, "eve": 2}


NOTHING = StatsView(0, [], [], [])
BUSY = StatsView(
    9,
    [
        ActorStats("mia", "human", locks=2, held_ms=90_000, saves=3, variations=1, accepted=1),
        ActorStats("edwin", "agent", variations=4, accepted=1),
    ],
    [],
    [
        ModelStats(
            "edwin", "some/model", calls=4, input_tokens=22_000, output_tokens=1_000, cost_micros=1_200_000
        )
    ],
)


@pytest.mark.parametrize("width", [36, 76, 117, 240])
@pytest.mark.parametrize("stats", [NOTHING, BUSY])
def test_the_page_fits(stats: StatsView, width: int) -> None:
    lines = page(stats, counted(event(0, "x"), event(90, "x")), {}, width, UTC)
    assert max(map(width_of, lines)) <= width


def test_the_page_says_what_it_plots() -> None:
    found = counted(
        event(0, "lock.acquired", artifact="a", holder={"actor": "mia"}),
        event(20, "lock.released", artifact="a"),
    )
    text = "\n".join(plain(line) for line in page(BUSY, found, {}, 117, UTC))
    for words in (
        "to 1 min",
        "1:30 · 2 locks",
        "$1.20 · 23 k tok",
        "1 of 4   25 %",
        "edwin some/model",
        "10:00:20",
    ):
        assert words in text


def test_an_empty_space_has_words_for_every_plot() -> None:
    text = "\n".join(plain(line) for line in page(NOTHING, Counted(), {}, 117))
    for words in (
        "Nothing has happened",
        "Nobody has held a lock",
        "Nobody has had to wait",
        "No agent has answered",
    ):
        assert words in text
