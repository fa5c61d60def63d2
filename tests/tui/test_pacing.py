"""Frames at the pace of the terminal."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from textual.app import ComposeResult
from textual.drivers._writer_thread import WriterThread
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from flowide.domain.commands import OpenGate
from flowide.tui.pacing import (
    ASK_AFTER,
    MOST_QUEUED,
    PATIENCE_S,
    QUESTION,
    RESTS,
    WINDOW,
    Pace,
    PacedApp,
    PacedScreen,
)
from tests.tui.conftest import other_process
from tests.tui.terminal.conftest import Start, Terminal, start

__all__ = ["start"]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_private_names_of_textual_that_are_used_are_there() -> None:
    assert "_queue" in WriterThread(sys.stdout).__dict__
    for name in ("_on_timer_update", "_update_timer", "_invoke_and_clear_callbacks"):
        assert hasattr(Screen, name)
    for name in ("_dirty_widgets", "_layout_required", "_scroll_required", "_repaint_required"):
        assert hasattr(Screen(), name)
    assert Widget()._repaint_regions == set()
    assert PacedScreen._on_timer_update is not Screen._on_timer_update


def test_the_terminal_is_asked_after_some_bytes_and_few_follow_before_it_answers() -> None:
    pace = Pace(Clock())
    pace.answered()
    pace.sent(ASK_AFTER - 1)
    assert not pace.ask()
    pace.sent(1)
    assert pace.ask()
    assert not pace.ask()
    assert not pace.holds(0)
    pace.sent(WINDOW)
    assert pace.holds(0)
    pace.answered()
    assert not pace.holds(0)
    assert pace.ask()


def test_the_first_screen_does_not_wait_for_a_terminal_that_may_never_answer() -> None:
    pace = Pace(Clock())
    pace.sent(ASK_AFTER)
    assert pace.ask()
    pace.sent(WINDOW)
    assert not pace.holds(0)


def test_a_terminal_that_never_answers_is_not_waited_for_again() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.sent(ASK_AFTER)
    assert pace.ask()
    pace.sent(WINDOW)
    clock.now = PATIENCE_S + 0.1
    assert not pace.holds(0)
    pace.sent(10 * WINDOW)
    assert not pace.ask()


def test_what_is_large_waits_for_the_answer_and_what_is_small_does_not() -> None:
    pace = Pace(Clock())
    pace.answered()
    pace.sent(ASK_AFTER)
    assert pace.ask()
    assert pace.holds(0, large=True)
    assert not pace.holds(0)
    pace.answered()
    assert not pace.holds(0, large=True)


def test_what_streams_in_leaves_a_slow_line_to_the_keys_for_longer_than_it_took() -> None:
    clock = Clock()
    pace = Pace(clock)
    for took in (0.01, 0.09):  # the way there and back alone, and with a large frame
        pace.sent(ASK_AFTER)
        assert pace.ask()
        clock.now += took
        pace.answered()
    assert pace.holds(0, large=True, unasked=True)
    assert not pace.holds(0, large=True)
    assert not pace.holds(0)
    clock.now += RESTS * 0.08 + 0.001
    assert not pace.holds(0, large=True, unasked=True)


def test_a_quick_terminal_is_never_left_alone() -> None:
    clock = Clock()
    pace = Pace(clock)
    for _ in range(3):
        pace.sent(ASK_AFTER)
        assert pace.ask()
        clock.now += 0.01
        pace.answered()
        assert not pace.holds(0, large=True, unasked=True)


def test_one_lost_answer_does_not_end_it() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.sent(ASK_AFTER)
    pace.ask()
    pace.answered()
    pace.sent(ASK_AFTER + WINDOW)
    pace.ask()
    pace.sent(WINDOW)
    clock.now = PATIENCE_S + 0.1
    assert not pace.holds(0)
    assert pace.ask()


def test_nothing_is_drawn_while_writes_pile_up() -> None:
    assert Pace(Clock()).holds(MOST_QUEUED)
    assert not Pace(Clock()).holds(MOST_QUEUED - 1)


class Plain(Widget):
    """Draws nothing in particular."""

    def render_line(self, y: int) -> Strip:
        return Strip.blank(self.size.width)


class Two(PacedApp):
    """Something large, in rows 0 to 19, something small below it, and a line that is busy or not."""

    CSS = "#large { height: 20; } #small { height: 1; }"
    busy = False

    def __init__(self) -> None:
        super().__init__()
        self.sent: set[int] = set()
        """Rows that went to the terminal."""

    def get_default_screen(self) -> Screen[Any]:
        return PacedScreen()

    def compose(self) -> ComposeResult:
        yield Plain(id="large")
        yield Plain(id="small")

    def holds_frames(self, *, large: bool = False, unasked: bool = False) -> bool:
        return large and self.busy

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        self.sent |= {y for y, _, _ in getattr(renderable, "spans", ())}


async def test_what_is_small_is_sent_while_what_is_large_waits_for_the_line() -> None:
    app = Two()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.1)
        app.sent.clear()
        app.busy = True
        app.query_one("#large").refresh()
        app.query_one("#small").refresh()
        await pilot.pause(0.2)
        assert app.sent == {20}

        app.busy = False
        app.screen._update_timer.resume()
        await pilot.pause(0.2)
        assert app.sent == set(range(21))


def answer(app: Terminal, seconds: float) -> None:
    """Be a terminal that answers."""
    end = time.monotonic() + seconds
    asked = app.raw.count(QUESTION.encode())
    while time.monotonic() < end:
        app.read(0.02)
        now = app.raw.count(QUESTION.encode())
        for _ in range(now - asked):
            app.send("\x1b[7;7R")
        asked = now


async def test_with_a_terminal_that_answers_the_app_asks_now_and_then_and_works(
    start: Start, project: Path
) -> None:
    app = start(str(project))
    answer(app, 2.0)
    app.sees("plan.md")
    assert QUESTION.encode() in app.raw
    app.send("?")
    answer(app, 1.0)
    app.sees("Take the lock and write.")
    assert "[7;7R" not in app.text
    app.send("\x1b")
    answer(app, 0.5)
    app.send("\x11")
    answer(app, 1.0)
    assert app.ends() == 0


async def test_a_terminal_that_stops_reading_and_reads_again_shows_what_is_now(
    start: Start, project: Path
) -> None:
    app = start(str(project))
    answer(app, 1.5)
    app.sees("plan.md")
    async with other_process(project) as mia:
        for n in range(30):
            await mia.execute(OpenGate(kind="approve", question=f"Question {n}?"))
            await asyncio.sleep(0.05)
        answer(app, 3.0)
        app.sees("Question 29?")
    app.send("\x11")
    answer(app, 1.0)
    assert app.ends() == 0


def test_an_idle_app_writes_nothing(start: Start, project: Path) -> None:
    app = start(str(project))
    answer(app, 2.0)
    app.sees("plan.md")
    end = time.monotonic() + 20
    size = -1
    while size != len(app.raw) and time.monotonic() < end:  # until it has come to rest
        size = len(app.raw)
        answer(app, 1.5)
    assert len(app.raw) == size
    app.send("\x11")
    answer(app, 1.0)
    app.ends()
