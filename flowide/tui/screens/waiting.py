"""The queue of everything that waits for the person, reachable from anywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.engine import running
from flowide.tui.engine.news import News
from flowide.tui.screens.base import NARROW, FlowScreen
from flowide.tui.screens.gate import open_gate
from flowide.tui.views.gates import Answer, at_once
from flowide.tui.views.hints import Hint
from flowide.tui.views.runs import Item
from flowide.tui.views.spans import Row, clean
from flowide.tui.views.waiting import Waiting, in_full, rows_of, urgent, waiting
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.rows import RowsPane

if TYPE_CHECKING:
    from flowide.domain.rows import Gate

TICK_S = 30.0
"""Seconds after which it is drawn again: how long things have waited is told in minutes."""


class WaitingScreen(FlowScreen):
    """Questions, reviews, conflicts, locks, decisions, drafts."""

    wheres = ("waiting", "app")
    BINDINGS: ClassVar[list[BindingType]] = [
        *commands.bindings("waiting"),
        *[Binding(str(digit), f"answer({digit})", show=False) for digit in range(1, 10)],
    ]
    AUTO_FOCUS = "#queue"

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        with Horizontal(id="waiting"):
            yield RowsPane(id="queue", ground="background")
            yield RowsPane(id="in-full", ground="surface")
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """What is known already."""
        self.query_one("#in-full").can_focus = False
        self._fit()
        self.draw()
        self.query_one("#queue", RowsPane).action_end(-1)
        self.set_interval(TICK_S, self.draw)

    def on_news(self, news: News) -> None:
        """More waits, or less."""
        if news.snapshot is not None:
            self.draw()

    def _fit(self) -> None:
        self.set_class(self.app.size.width < NARROW, "-narrow")

    def on_resize(self, event: events.Resize) -> None:
        """The details need room."""
        self._fit()
        self.call_after_refresh(self.draw)

    def on_rows_pane_resized(self, event: RowsPane.Resized) -> None:
        """Questions break elsewhere."""
        self.draw()

    def draw(self) -> None:
        """The list, and what is under the cursor in full."""
        if self.is_gone:
            return
        found = waiting(self.snapshot)
        pane = self.query_one("#queue", RowsPane)
        alone = self.has_class("-narrow")  # nothing beside it shows all of a question
        pane.show(rows_of(found, self.book, pane.body_width, datetime.now(UTC), whole=alone))
        many = urgent(self.snapshot)
        words = (
            f"  {many} stand still until you answer" if many > 1 else "  one stands still until you answer"
        )
        self.query_one("#where", Bar).show([(" waits for you", "accent b"), (words if many else "", "quiet")])
        self._draw_details()

    def _draw_details(self) -> None:
        details = self.query_one("#in-full", RowsPane)
        here = self.here
        if here is None:
            details.show([Row(())])
        else:
            details.show(in_full(here, self.snapshot, self.book, details.body_width))
        hints = [Hint("enter", "open", "enter")] if here is not None else []
        if here is not None and here.options:
            hints.append(Hint(f"1-{min(9, len(here.options))}", "answer", "1"))
        self.query_one(HintBar).show_hints(hints, commands.tail("waiting"))

    @property
    def here(self) -> Waiting | None:
        """What is under the cursor."""
        item = self.query_one("#queue", RowsPane).current
        return next((each for each in waiting(self.snapshot) if each.item == item), None)

    def on_rows_pane_moved(self, event: RowsPane.Moved) -> None:
        """Show another one in full."""
        event.stop()
        self._draw_details()

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """Go where it is dealt with."""
        event.stop()
        if not isinstance(event.key, Item):
            return
        gate = self._gate(event.key.ref) if event.key.kind == "gate" else None
        if gate is not None:
            open_gate(self, gate)
        else:
            self.dismiss()
            self.desk.open_item(event.key)

    def _gate(self, id: str) -> Gate | None:
        return next((gate for gate in self.snapshot.gates if gate.id == id), None)

    @work(group="answer", exclusive=True)
    async def action_answer(self, number: int) -> None:
        """One of the answers that are listed."""
        here = self.here
        gate = self._gate(here.item.ref) if here is not None else None
        options = [] if gate is None else at_once(gate)
        if gate is None or not 1 <= number <= len(options):
            return
        option = options[number - 1]
        try:
            await self.ask_engine(lambda session: running.answer(session, gate, Answer(option)))
        except FlowError as error:
            self.tell(error)
            return
        self.say(f"Answered: {clean(option)}.", good=True)

    def shows(self, item: Item) -> bool:
        return True

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()
