"""All decisions of the space: open, agreed, superseded."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from flowide.errors import FlowError
from flowide.space import queries as q
from flowide.tui import commands
from flowide.tui.dialogs import Ask
from flowide.tui.engine import talking
from flowide.tui.engine.news import News
from flowide.tui.screens.base import FlowScreen
from flowide.tui.screens.picker import Entry, Picker
from flowide.tui.views.actors import colour_of
from flowide.tui.views.hints import Hint
from flowide.tui.views.spans import Row, Span, clean
from flowide.tui.views.thread import DECIDED
from flowide.tui.views.words import clock_time, count
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.rows import RowsPane

if TYPE_CHECKING:
    from flowide.domain.rows import Decision
    from flowide.tui.engine.thread import Work

EMPTY = (
    "Nothing is decided yet. A paragraph of an agent that begins with Decision: puts one up, p in a thread puts up "
    "what a message says, n here anything else. Open and agreed ones are part of what every agent is told."
)
NOTHING_ELSE = "nothing"
"""Answer of the list of decisions that could hold instead."""


def decision_list(
    found: Sequence[Decision], titles: Mapping[str, str], book: Mapping[str, str], width: int
) -> list[Row]:
    """Rows by state: open ones first, the newest of each first."""
    rows: list[Row] = []
    numbers = {each.id: each.number for each in found}
    for state in ("open", "agreed", "superseded"):
        here = [each for each in reversed(found) if each.status == state]
        if not here:
            continue
        if rows:
            rows.append(Row(()))
        rows.append(Row(((state.upper(), f"{DECIDED[state][1]} b"),), ((str(len(here)), "quiet"),)))
        for each in here:
            rows += _decision_rows(each, titles, numbers, book, width)
    return rows or [Row(((line, "quiet"),)) for line in textwrap.wrap(EMPTY, max(20, width - 4))]


def _decision_rows(
    each: Decision, titles: Mapping[str, str], numbers: Mapping[str, int], book: Mapping[str, str], width: int
) -> list[Row]:
    sign, role = DECIDED[each.status]
    lines = textwrap.wrap(clean(" ".join(each.text.split())), max(16, width - 18)) or [""]
    words = "quiet" if each.status == "superseded" else ""
    head: tuple[Span, ...] = ((f"{sign} ", role), (f"D{each.number:<4}", "b"), (lines[0], words))
    found = [Row(head, ((clock_time(each.changed), "quiet"),), each.id)]
    found += [Row(((" " * 7, ""), (line, words))) for line in lines[1:]]
    below: list[Span] = [(" " * 7, ""), (clean(each.actor), colour_of(book, each.actor))]
    if each.agreed_by:
        below += [(" · agreed by ", "quiet"), (clean(each.agreed_by), colour_of(book, each.agreed_by))]
    if each.superseded_by is not None and each.superseded_by in numbers:
        below.append((f" · D{numbers[each.superseded_by]} holds instead", "quiet"))
    if each.thread is not None and each.thread in titles:
        below.append((f" · {clean(titles[each.thread])}", "quiet"))
    if each.reason:
        below.append((f" · {clean(each.reason)}", "quiet i"))
    return [*found, Row(tuple(below))]


class DecisionsScreen(FlowScreen):
    """Enter goes to where it was said."""

    wheres = ("decisions", "app")
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("decisions")
    AUTO_FOCUS = "#decisions"

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Decision] = []

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        yield RowsPane(id="decisions", ground="background")
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Read them."""
        self.query_one("#where", Bar).show([(" decisions", "accent b")])
        self.query_one(HintBar).show_hints(
            [
                Hint("enter", "where it was said", "enter"),
                *commands.hints("decisions", leave_out=frozenset({"decisions.back"})),
            ],
            commands.tail("decisions"),
        )
        self.reload()

    def on_news(self, news: News) -> None:
        """Something was decided."""
        if news.snapshot is not None:
            self.reload()

    def on_rows_pane_resized(self, event: RowsPane.Resized) -> None:
        """Words break elsewhere."""
        self.draw()

    @work(group="read", exclusive=True)
    async def reload(self) -> None:
        """All of them."""
        try:
            self.found = await self.ask_engine(lambda session: session.space.read(q.Decisions()))
        except FlowError as error:
            self.tell(error)
            return
        self.draw()

    def draw(self) -> None:
        """The list."""
        if self.is_gone:
            return
        pane = self.query_one(RowsPane)
        titles = {thread.id: thread.title for thread in self.snapshot.threads}
        pane.show(decision_list(self.found, titles, self.book, pane.body_width))
        if pane.current is None:
            pane.action_end(-1)
        opened = sum(each.status == "open" for each in self.found)
        words = f"  {count(len(self.found), 'decision')}" + (f", {opened} open" if opened else "")
        self.query_one("#where", Bar).show([(" decisions", "accent b"), (words, "quiet")])

    @property
    def here(self) -> Decision | None:
        """The one under the cursor."""
        current = self.query_one(RowsPane).current
        return next((each for each in self.found if each.id == current), None)

    # --- keys ---------------------------------------------------------------------------------------

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """To the message it was proposed from."""
        event.stop()
        here = self.here
        if here is None:
            return
        if here.thread is None:
            self.say("It was put up outside of threads.")
            return
        self.desk.jump_to(here.thread, here.message)

    @work(group="decide")
    async def action_agree(self) -> None:
        """Agree to an open one; put any other up again."""
        here = self.here
        if here is not None:
            await self._do(lambda session: talking.decide(session, here))

    async def _do(self, deed: Work[None]) -> None:
        try:
            await self.ask_engine(deed)
        except FlowError as error:
            self.tell(error)
            return
        self.reload()

    @work(group="decide")
    async def action_propose(self) -> None:
        """Put something up."""
        typed = await self.app.push_screen_wait(Ask("What shall hold from now on?", enter="put it up"))
        if typed and typed.strip():
            said = typed.strip()
            await self._do(lambda session: talking.propose(session, said, None))

    @work(group="decide")
    async def action_supersede(self) -> None:
        """End one, with or without another in its place."""
        here = self.here
        if here is None:
            return
        if here.status == "superseded":
            self.say("It holds no longer; y puts it up again.")
            return
        others = [each for each in reversed(self.found) if each.id != here.id and each.status != "superseded"]
        entries = [Entry(NOTHING_ELSE, "Nothing holds instead")]
        entries += [Entry(each.id, f"D{each.number}  {clean(each.text)}", each.status) for each in others]
        by = await self.app.push_screen_wait(Picker(f"What holds instead of D{here.number}?", entries))
        if by is None:
            return
        reason = await self.app.push_screen_wait(
            Ask("Why?", [[("Empty is fine.", "quiet")]], enter="supersede")
        )
        if reason is None:
            return
        other = None if by == NOTHING_ELSE else by
        await self._do(lambda session: talking.supersede(session, here.id, other, reason.strip()))

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()
