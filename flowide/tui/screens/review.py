"""A review: its stages, the changes one by one, what was said, and the answer of a person."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer

from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.dialogs import Choice, Choose
from flowide.tui.engine import reviewing, running
from flowide.tui.engine.news import News
from flowide.tui.screens.base import NARROW, FlowScreen
from flowide.tui.screens.reason import ReasonDialog
from flowide.tui.views import hunks
from flowide.tui.views.gates import Answer
from flowide.tui.views.hunks import Marks, Said
from flowide.tui.views.review import PERSON, Reviewed, pipeline, said_rows, stages, title
from flowide.tui.views.spans import Row, Span, clean
from flowide.tui.views.words import count
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.hunks import HunksView
from flowide.tui.widgets.rows import RowsPane

if TYPE_CHECKING:
    from flowide.domain.rows import Gate

TICK_S = 0.5
"""Seconds between looks while somebody writes."""
LEAST_SAID = 20
"""Cells for reasons while their pane is hidden."""
BY_HAND = "I write this place myself"


class ReviewScreen(FlowScreen):
    """One review, whoever drives its run."""

    wheres = ("review", "app")
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("review")
    AUTO_FOCUS = "#changes"

    def __init__(self, ref: str) -> None:
        """`ref` is the id of a review, or of the run that asks."""
        super().__init__()
        self.ref = ref
        self.seen: Reviewed | None = None
        self.current = 0
        """Number of the change that is spoken of; 0 = none."""
        self.whole = False
        self.since_start = False
        self._tick: Timer | None = None
        self._reading = self._again = False

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

    # --- what is known ------------------------------------------------------------------------------

    @property
    def marks(self) -> Marks:
        """What was said so far about the open question; it is kept while the app runs."""
        gate = self.seen.gate if self.seen is not None else None
        return self.desk.marks.setdefault(gate.id if gate is not None else "", Marks())

    @property
    def asked(self) -> bool:
        """Whether a question is open."""
        return self.seen is not None and self.seen.gate is not None

    def on_news(self, news: News) -> None:
        """Something was committed or written."""
        if news.snapshot is not None or news.texts:
            self.reload()

    @work(group="read")
    async def reload(self) -> None:
        """Read it again; once more when something happened meanwhile."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        try:
            while True:
                self._again = False
                self._take(await self._look())
                if not self._again:
                    break
                await asyncio.sleep(0.1)
        except FlowError as error:
            self.tell(error)
        finally:
            self._reading = False

    async def _look(self) -> Reviewed:
        ref, all_of_it = self.ref, self.since_start
        return await self.ask_engine(lambda session: reviewing.look(session, ref, since_start=all_of_it))

    def _take(self, seen: Reviewed) -> None:
        before = self.seen
        self.seen = seen
        gate = seen.gate.id if seen.gate is not None else None
        if before is None or (before.gate.id if before.gate is not None else None) != gate:
            self.current = self.marks.next_open(seen.hunks, 0) or (1 if seen.hunks else 0)
        self.current = min(self.current, len(seen.hunks))
        self.draw()
        alive = seen.run is not None and seen.run.run.status == "running" and seen.run.alive
        writing = alive and seen.gate is None
        if writing and self._tick is None:
            self._tick = self.set_interval(TICK_S, self.reload)
        elif not writing and self._tick is not None:
            self._tick.stop()
            self._tick = None

    # --- drawing ------------------------------------------------------------------------------------

    def _fit(self) -> None:
        self.set_class(self.app.size.width < NARROW, "-narrow")

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

    def draw(self) -> None:
        """Everything that is known."""
        seen = self.seen
        if seen is None:
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
        lines, starts = hunks.lines_of(
            seen, self.marks, self.current, view.body_width, whole=self.whole, answers=self.asked
        )
        if not lines:
            lines = [hunks.Line((("  Nothing is written yet.", "quiet", ""),))]
        view.show(lines, starts)

    def _draw_question(self, seen: Reviewed) -> None:
        left, right = hunks.question_words(seen, self.marks)
        if seen.gate is None:
            left, right = self._news_of(seen)
        self.query_one("#question", Bar).show(left, right)

    def _news_of(self, seen: Reviewed) -> tuple[list[Span], list[Span]]:
        """What is written now, or what is compared."""
        writing = [(key, text) for key, text in seen.live.items() if text]
        if writing and self._tick is not None:
            words = " ".join(writing[-1][1][-400:].split())
            room = max(10, self.app.size.width - 6)
            return [(" ◐ ", "accent"), (clean(words[-room:]), "quiet i"), ("▍", "accent")], []
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
        if seen.gate is not None and not self.marks.done:
            out.add("review.undo")
        if not seen.hunks:
            out |= {"review.next", "review.whole"}
        if self.asked or not _can_go_on(seen):
            out.add("review.resume")
        if not self.has_class("-narrow"):
            out.add("review.side")
        hints = commands.hints("review", leave_out=frozenset({"review.back", *out}))
        self.query_one(HintBar).show_hints(hints, commands.tail("review"))

    # --- moving -------------------------------------------------------------------------------------

    def action_change(self, by: int) -> None:
        """The next or previous change."""
        if self.seen is not None and self.seen.hunks:
            self._go(max(1, min(len(self.seen.hunks), self.current + by)))

    def _go(self, number: int) -> None:
        self.current = number
        self.draw()
        self.query_one(HunksView).show_change(number)

    def on_hunks_view_pointed(self, event: HunksView.Pointed) -> None:
        """A click goes to a change."""
        self._go(event.number)

    def action_whole(self) -> None:
        """All of the text, or what changed."""
        self.whole = not self.whole
        self.draw()
        self.query_one(HunksView).show_change(self.current)

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

    def _answerable(self) -> Reviewed | None:
        if self.seen is None or self.seen.gate is None:
            self.say("Nothing is asked here now.")
            return None
        return self.seen

    def action_take(self) -> None:
        """Take the change, and go to the next one that is open."""
        seen = self._answerable()
        if seen is None:
            return
        if not self.current:
            self.say("Nothing differs; enter says what you think of it all.")
            return
        self.marks.mark(self.current, True)
        self._next_open(seen)

    def action_rest(self) -> None:
        """Take all that are open."""
        seen = self._answerable()
        if seen is not None:
            for number in self.marks.open(seen.hunks):
                self.marks.mark(number, True)
            self.draw()

    @work(group="say", exclusive=True)
    async def action_refuse(self) -> None:
        """Refuse the change, with a reason."""
        seen = self._answerable()
        if seen is None:
            return
        number = self.current
        about = f"Why not change {number}?" if number else f"What is wrong with {seen.path}?"
        said = await self.app.push_screen_wait(ReasonDialog(about, seen.remembered))
        if said is None:
            return
        if number:
            self.marks.mark(number, False, said)
            self._next_open(seen)
        else:
            self.marks.general.append(said)
            self.draw()

    @work(group="say", exclusive=True)
    async def action_remark(self) -> None:
        """A reason that is about the whole text."""
        seen = self._answerable()
        if seen is None:
            return
        said = await self.app.push_screen_wait(
            ReasonDialog(f"What is wrong with {seen.path}?", seen.remembered)
        )
        if said is not None:
            self.marks.general.append(said)
            self.draw()

    def action_undo(self) -> None:
        """Take back what was said last."""
        marks = self.marks
        if marks.done:
            self._go(marks.undo() or self.current)
        elif marks.general:
            marks.general.pop()
            self.draw()
        else:
            self.say("Nothing was said yet.")

    def _next_open(self, seen: Reviewed) -> None:
        number = self.marks.next_open(seen.hunks, self.current)
        if number is not None:
            self._go(number)
        else:
            self.draw()
            self.say("All decided: enter sends it, u takes the last one back.", good=True)

    @work(group="say", exclusive=True)
    async def action_edit(self) -> None:
        """Write the place oneself, under the lock."""
        seen = self.seen
        if seen is None or not seen.path:
            return
        line = 0
        if self.current and self.current <= len(seen.hunks):
            a0, _, b0, _ = seen.hunks[self.current - 1].span
            line = a0 if seen.version == 0 else b0
            if self.asked and seen.version == 0:
                self.marks.mark(self.current, False, Said(BY_HAND))
        await self.desk.edit_at(seen.path, line)

    @work(group="say", exclusive=True)
    async def action_send(self) -> None:
        """Answer the question."""
        seen = self._answerable()
        if seen is None or seen.gate is None:
            return
        gate = seen.gate
        answer = await (self._which_taken(seen) if gate.kind == "hunks" else self._verdict(seen))
        if answer is None:
            return
        try:
            await self.ask_engine(lambda session: running.answer(session, gate, answer))
        except FlowError as error:
            self.tell(error)
            return
        self.desk.marks.pop(gate.id, None)
        self.say("Answered; the run goes on.", good=True)
        self.reload()

    async def _which_taken(self, seen: Reviewed) -> Answer | None:
        marks = self.marks
        rest = len(marks.open(seen.hunks))
        taken = sum(marks.taken.values())
        lines: list[list[Span]] = [[(f"{count(taken, 'change')} taken, {len(marks.refused)} refused.", "")]]
        lines += [
            [("✗ ", "bad"), (f"{number}  ", "quiet"), (clean(marks.why[number].text), "")]
            for number in marks.refused[:8]
            if number in marks.why
        ]
        if rest:
            choices = [
                Choice("t", f"take the other {rest}", "and save"),
                Choice("x", f"refuse the other {rest}", "and save what was taken"),
            ]
        else:
            choices = [
                Choice("s", "send it", "what is taken is saved; the agent is told what is not, and why")
            ]
        chosen = await self.app.push_screen_wait(
            Choose(f"{len(seen.hunks)} changes of {clean(seen.path)}", lines, choices)
        )
        if chosen is None:
            return None
        for number in marks.open(seen.hunks):
            marks.mark(number, chosen == "t")
        return hunks.hunks_answer(marks, seen.hunks)

    async def _verdict(self, seen: Reviewed) -> Answer | None:
        said = hunks.reasons(self.marks, seen)
        lines: list[list[Span]] = []
        for each, where in said[:8]:
            lines.append(
                [
                    ("✗ ", "bad"),
                    (f"{each.kind}  ", "warn"),
                    (clean(each.text), ""),
                    (f"  {clean(where)}", "quiet"),
                ]
            )
        if not said:
            rest = len(self.marks.open(seen.hunks))
            if rest:
                lines.append([(f"{count(rest, 'change')} not looked at.", "quiet")])
            choices = [Choice("y", "approve", "the review goes on")]
            heading = f"What do you think of v{seen.version}?"
            choices.append(Choice("r", "send it back", "with a reason"))
        else:
            heading = f"Send v{seen.version} back?"
            choices = self._ways_back(seen)
            choices.append(Choice("c", "let it pass", "with these as remarks"))
        chosen = await self.app.push_screen_wait(Choose(heading, lines, choices))
        if chosen is None:
            return None
        if chosen == "y":
            return hunks.verdict_answer([], None)
        if chosen == "r":
            reason = await self.app.push_screen_wait(
                ReasonDialog(f"What is wrong with {seen.path}?", seen.remembered)
            )
            if reason is None:
                return None
            self.marks.general.append(reason)
            return await self._verdict(seen)
        if chosen == "c":
            return hunks.verdict_answer(said, None, comment=True)
        names = [str(stage["stage"]) for stage in self._writers(seen)]
        return hunks.verdict_answer(said, names[int(chosen) - 1])

    def _ways_back(self, seen: Reviewed) -> list[Choice]:
        found = []
        for number, stage in enumerate(self._writers(seen)[:9], 1):
            who = "you" if stage["by"] == PERSON else f"@{stage['by']}"
            found.append(
                Choice(str(number), f"back to {clean(str(stage['stage']))}", f"{clean(who)} is told why")
            )
        return found

    def _writers(self, seen: Reviewed) -> list[dict[str, object]]:
        """Stages a text can be sent back to, those that write first."""
        every = list(seen.view.review.stages) if seen.view is not None else []
        writers = [each for each in every if each.get("does") in {"write", "rewrite", "edit"}]
        return writers or every

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
