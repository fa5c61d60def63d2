"""A review: its stages, the changes one by one, what was said, and the answer of a person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer

from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.engine import reviewing, running
from flowide.tui.engine.news import News
from flowide.tui.rereading import Rereading
from flowide.tui.screens.base import NARROW, FlowScreen
from flowide.tui.screens.review_saying import Saying
from flowide.tui.views import hunk_lines, hunks
from flowide.tui.views.hints import Hint
from flowide.tui.views.review import Reviewed, pipeline, said_rows, stages, title
from flowide.tui.views.snapshot import Looked
from flowide.tui.views.spans import Row, Span, clean
from flowide.tui.views.words import count
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.diff import BESIDE_FROM
from flowide.tui.widgets.hunks import HunksView
from flowide.tui.widgets.rows import RowsPane

if TYPE_CHECKING:
    from flowide.domain.rows import Gate

TICK_S = 0.5
"""Seconds between looks while somebody writes."""
EDGES = 2
"""Cells beside the rows of the changes."""
BOTH_FROM = BESIDE_FROM + EDGES + 38
"""Cells from which two texts and the reasons stand beside each other."""
LEAST_SAID = 20
"""Cells for reasons while their pane is hidden."""


class ReviewScreen(FlowScreen):
    """One review, whoever drives its run."""

    wheres = ("review", "app")
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("review")
    AUTO_FOCUS = "#changes"

    def __init__(self, ref: str) -> None:
        """`ref` is the id of a review, or of the run that asks."""
        super().__init__()
        self.ref = ref
        self.saying = Saying(self, draw=self.draw, reload=self.reload, go=self.go)
        self.whole = False
        self.beside = False
        """Texts beside each other where there is room."""
        self.since_start = False
        self._tick: Timer | None = None
        self._rereading = Rereading(self._read, pause_s=0.1)

    @property
    def seen(self) -> Reviewed | None:
        """The review as it was read last; None before that."""
        return self.saying.seen

    @property
    def looks_at(self) -> Looked:
        return Looked(None if self.seen is None else self.seen.path)

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        yield Bar(id="stages", ground="surface")
        yield Bar(id="stage-words", ground="surface")
        with Horizontal(id="review"):
            yield HunksView(id="changes")
            yield RowsPane(id="said", ground="background")
        yield Bar(id="question", ground="surface")
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Read it."""
        self._fit()
        self.query_one("#where", Bar).show(*title(None, datetime.now(UTC), self.app.size.width))
        self.query_one("#said", RowsPane).show([Row((("Reading…", "quiet"),))])
        self.query_one(HintBar).show_hints(commands.tail("review"))
        self.reload()

    def on_news(self, news: News) -> None:
        """Something was committed or written."""
        if news.snapshot is not None or news.texts:
            self.reload()

    @work(group="read")
    async def reload(self) -> None:
        """Read it again."""
        try:
            await self._rereading.again()
        except FlowError as error:
            self.tell(error)

    async def _read(self) -> None:
        ref, all_of_it = self.ref, self.since_start
        self._take(await self.ask_engine(lambda session: reviewing.look(session, ref, since_start=all_of_it)))

    def _take(self, seen: Reviewed) -> None:
        before = self.seen
        self.saying.seen = seen
        gate = seen.gate.id if seen.gate is not None else None
        asked_anew = before is None or (before.gate.id if before.gate is not None else None) != gate
        if asked_anew:
            self.saying.current = self.saying.marks.next_open(seen.hunks, 0) or (1 if seen.hunks else 0)
        self.saying.current = min(self.saying.current, len(seen.hunks))
        self.draw()
        if asked_anew and not self.is_gone:
            view = self.query_one(HunksView)
            view.action_end(-1)
            view.show_change(self.saying.current)
        alive = seen.run is not None and seen.run.run.status == "running" and seen.run.alive
        writing = alive and seen.gate is None
        if writing and self._tick is None:
            self._tick = self.set_interval(TICK_S, self.reload)
        elif not writing and self._tick is not None:
            self._tick.stop()
            self._tick = None

    # --- drawing ------------------------------------------------------------------------------------

    def _fit(self) -> None:
        width = self.app.size.width
        self.set_class(width < (BOTH_FROM if self.is_beside else NARROW), "-narrow")

    def on_resize(self, event: events.Resize) -> None:
        """One of the two below 100 cells."""
        self._fit()
        self.draw()

    def on_hunks_view_resized(self, event: HunksView.Resized) -> None:
        """Lines break elsewhere."""
        self.draw()

    def on_rows_pane_resized(self, event: RowsPane.Resized) -> None:
        """Reasons break elsewhere."""
        self.draw()

    @property
    def is_beside(self) -> bool:
        """Whether the texts stand beside each other now."""
        return self.beside and self.app.size.width >= BESIDE_FROM + EDGES

    def draw(self) -> None:
        """Everything that is known."""
        seen = self.seen
        if seen is None or self.is_gone:
            return
        now, width = datetime.now(UTC), self.app.size.width
        self.query_one("#where", Bar).show(*title(seen, now, width))
        first, second = pipeline(stages(seen, now), self.book, width)
        self.query_one("#stages", Bar).show(first)
        self.query_one("#stage-words", Bar).show(second)
        said = self.query_one("#said", RowsPane)
        said.show(said_rows(seen, self.book, max(LEAST_SAID, said.body_width - 1)))
        self._draw_changes(seen)
        self._draw_question(seen)
        self._draw_hints(seen)

    def _draw_changes(self, seen: Reviewed) -> None:
        view = self.query_one(HunksView)
        writing = self._being_written(seen)
        if writing and not seen.hunks:
            view.show(hunk_lines.live_lines(writing, view.body_width), {})
            view.action_end(1)
            return
        lines, starts = hunk_lines.lines_of(
            seen,
            self.saying.marks,
            self.saying.current,
            view.body_width,
            whole=self.whole,
            answers=self.saying.asked,
            beside=self.is_beside,
        )
        if not lines:
            lines = [hunk_lines.Line((("  Nothing is written yet.", "quiet", ""),))]
        view.show(lines, starts)

    def _being_written(self, seen: Reviewed) -> str:
        """The text that is on its way now; empty when none is."""
        if seen.gate is not None or self._tick is None:
            return ""
        return next((text for _, text in reversed(list(seen.live.items())) if text), "")

    def _draw_question(self, seen: Reviewed) -> None:
        left, right = hunks.question_words(seen, self.saying.marks)
        if seen.gate is None:
            left, right = self._news_of(seen)
        self.query_one("#question", Bar).show(left, right)

    def _news_of(self, seen: Reviewed) -> tuple[list[Span], list[Span]]:
        """What is written now, or what is compared."""
        writing = self._being_written(seen)
        if writing:
            words = " ".join(writing[-400:].split())
            room = max(10, self.app.size.width - 6)
            return [(" ◐ ", "accent"), (clean(words)[-room:], "quiet i"), ("▍", "accent")], []
        if seen.hunks:
            compared = f" v{seen.base} → v{seen.version} · {count(len(seen.hunks), 'change')}"
            return [(compared, "quiet")], []
        return [(f" v{seen.version} as it is" if seen.version else "", "quiet")], []

    def _draw_hints(self, seen: Reviewed) -> None:
        out: set[str] = set()
        if seen.gate is None:
            out |= {
                "review.take",
                "review.refuse",
                "review.rest",
                "review.undo",
                "review.send",
                "review.remark",
            }
        elif not seen.hunks:
            out |= {"review.take", "review.rest", "review.next"}
        if seen.gate is not None and not self.saying.marks.done:
            out.add("review.undo")
        if not seen.hunks:
            out |= {"review.next", "review.whole", "review.layout"}
        if self.app.size.width < BESIDE_FROM + EDGES:
            out.add("review.layout")  # there is no room for it
        if self.saying.asked or not _can_go_on(seen):
            out.add("review.resume")
        if not self.has_class("-narrow"):
            out.add("review.side")
        hints = commands.hints("review", leave_out=frozenset({"review.back", *out}))
        if self.is_beside:
            hints = [Hint("d", "one below the other", "d") if hint.key == "d" else hint for hint in hints]
        self.query_one(HintBar).show_hints(hints, commands.tail("review"))

    # --- moving -------------------------------------------------------------------------------------

    def action_change(self, by: int) -> None:
        """The next or previous change."""
        if self.seen is not None and self.seen.hunks:
            self.go(max(1, min(len(self.seen.hunks), self.saying.current + by)))

    def go(self, number: int) -> None:
        """Speak of another change."""
        self.saying.current = number
        self.draw()
        self.query_one(HunksView).show_change(number)

    def on_hunks_view_pointed(self, event: HunksView.Pointed) -> None:
        """A click goes to a change."""
        self.go(event.number)

    def action_whole(self) -> None:
        """All of the text, or what changed."""
        self.whole = not self.whole
        self.draw()
        self.query_one(HunksView).show_change(self.saying.current)

    def action_layout(self) -> None:
        """Beside each other, or below each other."""
        if self.app.size.width < BESIDE_FROM + EDGES:
            self.say("Side by side needs a wider window.")
            return
        self.beside = not self.beside
        self.remove_class("-on-said")
        self._fit()
        self.set_focus(self.query_one(HunksView))
        self.call_after_refresh(self._show_again)

    def _show_again(self) -> None:
        self.draw()
        self.query_one(HunksView).show_change(self.saying.current)

    def action_since(self) -> None:
        """Compare with what the review began with, or with what was seen last."""
        if self.seen is not None and self.seen.version == 0:
            self.say("These changes are not saved: they are compared with the newest version.")
            return
        self.since_start = not self.since_start
        self.say(
            "Everything since the review began."
            if self.since_start
            else "What is new since you saw it last.",
            good=True,
        )
        self.reload()

    def action_side(self) -> None:
        """Where one of the two is shown: the other one."""
        if self.has_class("-narrow"):
            self.toggle_class("-on-said")
        wanted = (
            "#said" if self.has_class("-on-said") or self.focused is self.query_one(HunksView) else "#changes"
        )
        self.set_focus(self.query_one(wanted))
        self.call_after_refresh(self.draw)

    # --- saying what one thinks ---------------------------------------------------------------------

    def action_take(self) -> None:
        """Take the change, and go to the next one that is open."""
        self.saying.take()

    def action_rest(self) -> None:
        """Take all that are open."""
        self.saying.rest()

    @work(group="say", exclusive=True)
    async def action_refuse(self) -> None:
        """Refuse the change, with a reason."""
        await self.saying.refuse()

    @work(group="say", exclusive=True)
    async def action_remark(self) -> None:
        """A reason that is about the whole text."""
        await self.saying.remark()

    def action_undo(self) -> None:
        """Take back what was said last."""
        self.saying.undo()

    @work(group="say", exclusive=True)
    async def action_edit(self) -> None:
        """Write the place oneself, under the lock."""
        await self.saying.edit()

    @work(group="say", exclusive=True)
    async def action_send(self) -> None:
        """Answer the question."""
        await self.saying.send()

    # --- elsewhere ----------------------------------------------------------------------------------

    @work(group="resume", exclusive=True)
    async def action_resume(self) -> None:
        """Have a stopped run go on here."""
        run = self.seen.run if self.seen is not None else None
        if run is None:
            return
        try:
            await self.ask_engine(lambda session: running.resume(session, run.run.id))
        except FlowError as error:
            self.tell(error)
            return
        self.say("It goes on.", good=True)
        self.reload()

    def action_show_run(self) -> None:
        """The run that drives it, with its steps and costs."""
        from flowide.tui.screens.run import RunScreen

        if self.seen is not None and self.seen.run is not None:
            self.app.push_screen(RunScreen(self.seen.run.run.id))

    def is_about(self, gate: Gate) -> bool:
        run = self.seen.run.run.id if self.seen is not None and self.seen.run is not None else self.ref
        return gate.run == run

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()


def _can_go_on(seen: Reviewed) -> bool:
    """Whether its run has stopped before its end."""
    run = seen.run
    return run is not None and not run.alive and run.run.status in {"running", "cancelled", "failed"}
