"""One run: its steps as they go, its questions, and how it ended."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer

from flowide.errors import FlowError
from flowide.space import queries as q
from flowide.tui import commands
from flowide.tui.engine import running
from flowide.tui.engine.news import News
from flowide.tui.screens.base import FlowScreen
from flowide.tui.screens.gate import open_gate
from flowide.tui.views.hints import Hint
from flowide.tui.views.run_tree import TOOL, Going, run_rows, run_title
from flowide.tui.views.runs import Item
from flowide.tui.views.snapshot import Looked
from flowide.tui.views.spans import Row
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.rows import RowsPane

if TYPE_CHECKING:
    from flowide.domain.rows import Gate
    from flowide.flows.api import Budget

TICK_S = 0.5
"""Seconds between looks while the run goes."""


class RunScreen(FlowScreen):
    """Attached to a run, whoever drives it."""

    wheres = ("run", "app")
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("run")
    AUTO_FOCUS = "#steps"

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run_id = run
        self.seen: q.RunView | None = None
        self._tick: Timer | None = None
        self._live: dict[str, str] = {}
        self._going: dict[str, Going] = {}
        self._bounds: Budget | None = None
        """What it may use, once it is known."""
        self._everything = False

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        yield RowsPane(id="steps", ground="background", edge=False)
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Read it."""
        self.query_one(RowsPane).show([Row((("Reading…", "quiet"),))])
        self.reload()

    def on_news(self, news: News) -> None:
        """Something was committed or written."""
        self.reload()

    @work(group="read", exclusive=True)
    async def reload(self) -> None:
        """Read the run and what its steps are writing."""
        try:
            seen = await self.ask_engine(lambda session: session.space.read(q.OneRun(self.run_id)))
            live = await self.ask_engine(lambda session: running.live_texts(session, self.run_id))
        except FlowError as error:
            self.tell(error)
            return
        self.seen, self._live = seen, live
        writing = {step.key for step in seen.steps if step.kind != TOOL}
        for key in writing & live.keys():
            text = live[key]
            self._going.setdefault(key, Going()).note(time.monotonic(), len(text))
        if self._bounds is None:
            self._bounds = await self.ask_engine(lambda session: running.bounds(session, seen))
        self.draw()
        alive = seen.run.status == "running" and seen.alive
        if alive and self._tick is None:
            self._tick = self.set_interval(TICK_S, self.reload)
        elif not alive and self._tick is not None:
            self._tick.stop()
            self._tick = None
        self._draw_hints(alive)

    def draw(self) -> None:
        """Everything that is known."""
        seen = self.seen
        if seen is None or self.is_gone:
            return
        now, pane = datetime.now(UTC), self.query_one(RowsPane)
        self.query_one("#where", Bar).show(*run_title(seen, now, self._bounds))
        pane.show(
            run_rows(
                seen,
                self._live,
                self.book,
                now,
                width=pane.body_width,
                everything=self._everything,
                going=self._going,
                bounds=self._bounds,
                state=self.snapshot,
            )
        )

    def on_rows_pane_resized(self, event: RowsPane.Resized) -> None:
        """Words break elsewhere."""
        self.draw()

    def action_everything(self) -> None:
        """Also what steps noted for a resume."""
        self._everything = not self._everything
        self.draw()

    def action_review(self) -> None:
        """The review this run drives."""
        from flowide.tui.screens.review import ReviewScreen

        self.app.push_screen(ReviewScreen(self.run_id))

    def _draw_hints(self, alive: bool) -> None:
        seen = self.seen
        if seen is None or self.is_gone:
            return
        out = {"run.back"}
        if not any(gate.status == "open" for gate in seen.gates):
            out.add("run.answer")
        if alive:
            out.add("run.resume")
        else:
            out.add("run.stop")
        if seen.run.status in {"completed", "rejected"}:
            out.add("run.resume")
        if not any(group.run == self.run_id for group in self.snapshot.sets):
            out.add("run.grid")
        if not any(review.run == self.run_id for review in self.snapshot.reviews):
            out.add("run.review")
        hints = commands.hints("run", leave_out=frozenset(out))
        self.query_one(HintBar).show_hints([Hint("enter", "open", "enter"), *hints], commands.tail("run"))

    # --- actions ------------------------------------------------------------------------------------

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """A question opens; a step shows what it gave."""
        event.stop()
        if isinstance(event.key, Item) and event.key.kind == "gate":
            self.action_answer()
        elif isinstance(event.key, Item) and event.key.kind == "step":
            self._show_step(event.key.ref)

    @work(group="step", exclusive=True)
    async def _show_step(self, key: str) -> None:
        from flowide.tui.dialogs import Show
        from flowide.tui.views.run_tree import step_lines

        step = next((step for step in self.seen.steps if step.key == key), None) if self.seen else None
        if step is None:
            return
        try:
            live = await self.ask_engine(lambda session: running.live_texts(session, self.run_id))
        except FlowError as error:
            self.tell(error)
            return
        self.app.push_screen(Show(step.key, step_lines(step, live.get(key, ""))))

    def action_answer(self) -> None:
        """Answer the newest open question."""
        opened = [gate for gate in self.seen.gates if gate.status == "open"] if self.seen else []
        if not opened:
            self.say("This run asks nothing.")
            return
        open_gate(self, opened[-1])

    def action_variations(self) -> None:
        """The grid of the set this run made."""
        from flowide.tui.screens.grid import GridScreen

        found = next((group for group in self.snapshot.sets if group.run == self.run_id), None)
        if found is None:
            self.say("This run has no variations.")
        else:
            self.app.push_screen(GridScreen(found.id))

    @work(group="resume", exclusive=True)
    async def action_resume(self) -> None:
        """Go on, here."""
        if self.seen is not None and self.seen.run.status == "running" and self.seen.alive:
            self.say("It is running.")
            return
        try:
            await self.ask_engine(lambda session: running.resume(session, self.run_id))
        except FlowError as error:
            self.tell(error)
            return
        self.say("It goes on.", good=True)
        self.reload()

    @work(group="stop", exclusive=True)
    async def action_stop(self) -> None:
        """Stop the run, whoever drives it."""
        try:
            await self.ask_engine(lambda session: running.cancel(session, self.run_id))
        except FlowError as error:
            self.tell(error)
            return
        self.say("Stopped. It can go on later with r.", good=True)
        self.reload()

    @property
    def looks_at(self) -> Looked:
        return Looked(run=self.run_id)

    def is_about(self, gate: Gate) -> bool:
        return gate.run == self.run_id

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()
