"""Search over all texts: files line by line, variations, messages, decisions, older versions; with a preview."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.engine import reading
from flowide.tui.screens.base import NARROW, FlowScreen
from flowide.tui.views.found import PLACES, Found, found_rows, place_spans
from flowide.tui.views.hints import Hint
from flowide.tui.views.spans import Row, Span, clean
from flowide.tui.views.words import count
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.code import CodeView
from flowide.tui.widgets.field import Field
from flowide.tui.widgets.rows import RowsPane

PAUSE_S = 0.15
"""Seconds without a key before the search begins."""
_ABOUT = (
    ("files", "line by line, as they are on the disk"),
    ("variations", "what agents and people proposed"),
    ("threads", "what was said"),
    ("decisions", "open, agreed and superseded ones"),
    ("older versions", "every version of every file; only when you look there"),
)


class SearchScreen(FlowScreen):
    """Gives back the place that was chosen, through `chosen`."""

    wheres = ("search", "app")
    AUTO_FOCUS = "#words"
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("search")

    def __init__(self) -> None:
        super().__init__()
        self.chosen: Found | None = None
        self.place = 0
        """Index into `PLACES`."""

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        yield Field(placeholder="words, in any order", id="words")
        yield Bar(id="places", ground="surface")
        with Horizontal(id="results"):
            yield RowsPane(id="found", ground="background", edge=False)
            yield CodeView(id="preview")
        yield HintBar(id="hints")

    @property
    def rows(self) -> RowsPane:
        """What was found."""
        return self.query_one("#found", RowsPane)

    @property
    def words(self) -> Input:
        """What is searched for."""
        return self.query_one("#words", Input)

    def on_mount(self) -> None:
        """Nothing is searched yet."""
        self.set_class(self.app.size.width < NARROW, "-narrow")
        self.rows.always_lit = True
        self._draw("")
        self._empty()

    def on_resize(self) -> None:
        """No preview where there is no room."""
        self.set_class(self.app.size.width < NARROW, "-narrow")

    def _draw(self, words: str) -> None:
        self.query_one("#where", Bar).show([(" search", "accent b"), (f"  {words}", "quiet")])
        self.query_one("#places", Bar).show(place_spans(self.place))
        typing = self.words.has_focus
        hints = [
            Hint("enter", "open", "enter"),
            Hint("↓" if typing else "↑", "results" if typing else "words", "down"),
        ]
        self.query_one(HintBar).show_hints([*hints, *commands.hints("search")], commands.tail("search"))

    def _empty(self) -> None:
        lines: list[list[Span]] = [
            [],
            [("Type words: what holds all of them is listed here as you type.", "quiet")],
            [],
            *([(f"{name:<16}", ""), (what, "quiet")] for name, what in _ABOUT),
        ]
        self.rows.show([Row(tuple(line)) for line in lines])
        self.query_one(CodeView).show_empty([])
        self.query_one(CodeView).set_title([], [])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The hints belong to what has the keys."""
        self._draw(self._said)

    _said = ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as it is typed."""
        self._search(event.value)

    @work(group="search", exclusive=True)
    async def _search(self, typed: str) -> None:
        await asyncio.sleep(PAUSE_S)
        kinds = PLACES[self.place][1]
        try:
            found = await self.ask_engine(lambda session: reading.search(session, typed, kinds))
        except FlowError as error:
            self.tell(error)
            return
        if self.left:
            return
        if not typed.strip():
            self._said = ""
            self._empty()
        else:
            many = count(len(found), "place")
            self._said = f"the first {many}" if len(found) >= reading.MOST_FOUND else many
            rows = found_rows(found, typed, self.rows.body_width)
            self.rows.show(rows or [Row(()), Row((("Nothing holds all of that.", "quiet"),))])
            self.rows.action_end(-1)
            self._preview()
        self._draw(self._said)

    @on(RowsPane.Moved, "#found")
    def _preview(self) -> None:
        key = self.rows.current
        if isinstance(key, Found):
            self._read_preview(key)
        else:
            self.query_one(CodeView).show_empty([])
            self.query_one(CodeView).set_title([], [])

    @work(group="preview", exclusive=True)
    async def _read_preview(self, found: Found) -> None:
        typed = self.words.value
        view = self.query_one(CodeView)
        try:
            read = await self.ask_engine(lambda session: reading.preview(session, found, typed))
        except FlowError as error:
            if not self.left:
                view.show_empty([[], [(clean(error.message), "warn")]])
            return
        if self.left:
            return
        view.set_title(read.title, [])
        view.show(read.lines, read.colours, wraps=read.wraps, lit=read.at)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter opens the place under the cursor: the first one, as long as nobody moves it."""
        key = self.rows.current
        if isinstance(key, Found):
            self._choose(key)

    def on_key(self, event: events.Key) -> None:
        """Down goes from the words to what was found, up from its first line back."""
        if event.key == "down" and self.words.has_focus:
            event.stop()
            self.rows.focus()
        elif event.key == "up" and self.rows.has_focus and self.rows.at_first:
            event.stop()
            self.words.focus()

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """A place was chosen."""
        event.stop()
        if isinstance(event.key, Found):
            self._choose(event.key)

    def _choose(self, found: Found) -> None:
        self.chosen = found
        self.dismiss()

    def action_place(self, by: int) -> None:
        """Look elsewhere."""
        self.place = (self.place + by) % len(PLACES)
        self._draw(self._said)
        self._search(self.words.value)

    def on_click(self, event: events.Click) -> None:
        """A click on a place looks there."""
        bar = self.query_one("#places", Bar)
        if event.widget is bar:
            at = 1
            for index, (name, _) in enumerate(PLACES):
                if at <= event.x < at + len(name) + 2:
                    self.action_place(index - self.place)
                at += len(name) + 3

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()
