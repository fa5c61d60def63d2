"""How the space is used, in plots."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.engine.news import News
from flowide.tui.screens.base import FlowScreen
from flowide.tui.views.hints import Hint
from flowide.tui.views.stats import PERIODS, Counted, page
from flowide.tui.views.words import count
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.page import Page

if TYPE_CHECKING:
    from flowide.space.queries import StatsView


PAUSE_S = 2.0
"""Least seconds from one count to the next, while things happen; a long log takes longer to count."""


class StatsScreen(FlowScreen):
    """Activity, lock holds, waits, cost, acceptance."""

    wheres = ("stats", "app")
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("stats")
    AUTO_FOCUS = "#page"

    def __init__(self) -> None:
        super().__init__()
        self.period = 0
        """Index into `PERIODS`."""
        self._found: tuple[StatsView, Counted] | None = None
        self._reading = False
        self._again = False
        self._wake = asyncio.Event()
        """Another time is wanted: no pause before the next count."""

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        yield Page(id="page")
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Count."""
        self.query_one(Page).show([[], [("Counting…", "quiet")]])
        self.query_one(HintBar).show_hints(
            [Hint("↑↓", "scroll", "down"), *commands.hints("stats", leave_out=frozenset({"stats.back"}))],
            commands.tail("stats"),
        )
        self._draw()
        self.reload()

    def on_resize(self) -> None:
        """Plots are as wide as the screen."""
        self._draw()

    def on_news(self, news: News) -> None:
        """Something was committed: count again, one count at a time."""
        if news.snapshot is not None:
            self.reload()

    @work(group="read")
    async def reload(self) -> None:
        """Count what the log says, as far back as is wanted."""
        from flowide.tui.engine.reading import numbers

        if self._reading:
            self._again = True
            return
        self._reading = True
        try:
            while True:
                self._again = False
                period, start = self.period, time.monotonic()
                since = since_of(period, datetime.now(UTC))
                self._found = await self.ask_engine(partial(numbers, since=since))
                if self.left:
                    return
                self._draw()
                if not self._again:
                    return
                if period == self.period:
                    self._wake.clear()
                    with contextlib.suppress(TimeoutError):
                        pause = max(PAUSE_S, 4 * (time.monotonic() - start))
                        await asyncio.wait_for(self._wake.wait(), pause)
        except FlowError as error:
            self.tell(error)
        finally:
            self._reading = False

    def _draw(self) -> None:
        found = self._found
        right = [] if found is None else [(f"{count(found[0].events, 'event')} ", "quiet")]
        name = PERIODS[self.period][0]
        self.query_one("#where", Bar).show([(" stats", "accent b"), (" ▸ ", "quiet"), (name, "b")], right)
        view = self.query_one(Page)
        if found is not None and view.size.width:
            view.show(page(*found, self.book, view.body_width - 3))

    def action_period(self) -> None:
        """Another time."""
        self.period = (self.period + 1) % len(PERIODS)
        self._draw()
        self._wake.set()
        self.reload()

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()


def since_of(period: int, now: datetime) -> str:
    """The time from which events count, as RFC 3339; empty = all."""
    days = PERIODS[period][1]
    return (
        ""
        if days is None
        else (now - timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")
    )
