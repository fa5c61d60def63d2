"""Search over all texts: files line by line, and variations."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.engine import reading
from flowide.tui.screens.base import FlowScreen
from flowide.tui.views.found import Found, found_rows
from flowide.tui.views.hints import Hint
from flowide.tui.views.spans import Row
from flowide.tui.views.words import count
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.field import Field
from flowide.tui.widgets.rows import RowsPane

PAUSE_S = 0.15
"""Seconds without a key before the search begins."""


class SearchScreen(FlowScreen):
    """Gives back the place that was chosen, through `chosen`."""

    wheres = ("search", "app")
    AUTO_FOCUS = "#words"
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("search")

    def __init__(self) -> None:
        super().__init__()
        self.chosen: Found | None = None

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        yield Field(placeholder="words, in any order", id="words")
        yield RowsPane(id="found", ground="background", edge=False)
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Nothing is searched yet."""
        self._title("")
        self.query_one(RowsPane).show(
            [Row((("Lines of files that hold all the words, and variations.", "quiet"),))]
        )
        self.query_one(HintBar).show_hints(
            [Hint("enter", "open", "enter"), Hint("↓", "results", "down")], commands.tail("search")
        )

    def _title(self, words: str) -> None:
        self.query_one("#where", Bar).show([(" search", "accent b"), (f"  {words}", "quiet")])

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as it is typed."""
        self._search(event.value)

    @work(group="search", exclusive=True)
    async def _search(self, typed: str) -> None:
        await asyncio.sleep(PAUSE_S)
        try:
            found = await self.ask_engine(lambda session: reading.search(session, typed))
        except FlowError as error:
            self.tell(error)
            return
        pane = self.query_one(RowsPane)
        rows = found_rows(found, typed, pane.body_width)
        if not typed.strip():
            self._title("")
        elif len(found) >= reading.MOST_FOUND:
            self._title(f"the first {count(len(found), 'place')}")
        else:
            self._title(count(len(found), "place"))
        pane.show(rows or [Row((("Nothing holds all of that." if typed.strip() else "", "quiet"),))])
        pane.action_end(-1)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter opens the first place."""
        key = self.query_one(RowsPane).current
        if isinstance(key, Found):
            self._choose(key)

    def on_key(self, event: events.Key) -> None:
        """Down goes from the words to what was found."""
        if event.key == "down" and self.query_one("#words", Input).has_focus:
            event.stop()
            self.query_one(RowsPane).focus()

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """A place was chosen."""
        event.stop()
        if isinstance(event.key, Found):
            self._choose(event.key)

    def _choose(self, found: Found) -> None:
        self.chosen = found
        self.dismiss()

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()
