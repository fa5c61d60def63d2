"""The audit trail: who did what, as it happens."""

from __future__ import annotations

import json
from typing import ClassVar

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from flowide.domain.events import Event
from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.dialogs import Show
from flowide.tui.engine.news import News
from flowide.tui.engine.reading import newest_events
from flowide.tui.screens.base import FlowScreen
from flowide.tui.views.hints import Hint
from flowide.tui.views.spans import Row, lines_of
from flowide.tui.views.story import log_rows
from flowide.tui.views.words import count
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.rows import RowsPane

MOST = 2_000
"""Events that are listed, the newest ones; `flowide log` prints them all."""


class LogScreen(FlowScreen):
    """The newest events; enter shows one in full."""

    wheres = ("log", "app")
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("log")
    AUTO_FOCUS = "#log"

    def __init__(self) -> None:
        super().__init__()
        self._events: list[Event] = []

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        yield RowsPane(id="log", ground="background", edge=False)
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Read it."""
        self.query_one(RowsPane).show([Row((("Reading…", "quiet"),))])
        self.query_one("#where", Bar).show([(" log", "accent b")])
        self.query_one(HintBar).show_hints([Hint("enter", "in full", "enter")], commands.tail("log"))
        self.reload()

    def on_news(self, news: News) -> None:
        """More has happened."""
        if news.snapshot is not None:
            self.reload()

    @work(group="read", exclusive=True)
    async def reload(self) -> None:
        """Read what is newer than what is shown."""
        after = self._events[-1].seq if self._events else None
        try:
            new = await self.ask_engine(lambda session: newest_events(session, after, MOST))
        except FlowError as error:
            self.tell(error)
            return
        self._events = [*self._events, *new][-MOST:]
        paths = {artifact.id: artifact.path for artifact in self.snapshot.artifacts}
        rows = log_rows(self._events, paths, self.book)
        pane = self.query_one(RowsPane)
        at_top = pane.top == 0 and pane.cursor == 0
        pane.show(rows or [Row((("Nothing has happened yet.", "quiet"),))])
        if at_top:
            pane.action_end(-1)
        head = self._events[-1].seq if self._events else 0
        self.query_one("#where", Bar).show([(" log", "accent b"), (f"  {count(head, 'event')}", "quiet")])

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """The event as it is stored."""
        event.stop()
        found = next((each for each in self._events if each.seq == event.key), None)
        if found is not None:
            text = json.dumps(msgspec.to_builtins(found), indent=2, ensure_ascii=False)
            self.app.push_screen(Show(f"{found.seq} {found.type}", [[(line, "")] for line in lines_of(text)]))

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()
