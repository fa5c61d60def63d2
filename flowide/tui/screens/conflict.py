"""A conflict card: the three texts beside each other, and what becomes of mine."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.dialogs import Confirm
from flowide.tui.engine import settling
from flowide.tui.engine.news import News
from flowide.tui.screens.base import FlowScreen
from flowide.tui.views.conflict import Conflicting, question, summary, title
from flowide.tui.views.snapshot import Looked
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.words import count
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.three import ThreeView

if TYPE_CHECKING:
    from flowide.domain.rows import Gate
    from flowide.project.resolving import Resolved


class ConflictScreen(FlowScreen):
    """One card."""

    wheres = ("conflict", "app")
    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("conflict")
    AUTO_FOCUS = "#three"

    def __init__(self, gate: str) -> None:
        super().__init__()
        self.gate_id = gate
        self.found: Conflicting | None = None
        self.gate: Gate | None = None

    @property
    def looks_at(self) -> Looked:
        return Looked(None if self.found is None else self.found.card.path)

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        yield ThreeView(id="three")
        yield Bar(id="summary", ground="surface")
        yield Bar(id="question", ground="surface")
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Read it."""
        self.app.clear_notifications()  # they tell of it
        self.query_one("#where", Bar).show(*title(None))
        self.query_one(HintBar).show_hints(commands.tail("conflict"))
        self.reload()

    def on_news(self, news: News) -> None:
        """A draft may have grown, the file may be another one."""
        if news.snapshot is not None:
            self.reload()

    @work(group="read", exclusive=True)
    async def reload(self) -> None:
        """Read the card and its texts."""
        gate = self.gate_id
        try:
            self.gate, self.found = await self.ask_engine(lambda session: settling.look(session, gate))
        except FlowError as error:
            self.tell(error)
            return
        self.draw()

    def draw(self) -> None:
        """Everything that is known."""
        if self.found is None or self.gate is None or self.is_gone:
            return
        self.query_one("#where", Bar).show(*title(self.found))
        self.query_one(ThreeView).show(self.found)
        self.query_one("#summary", Bar).show(summary(self.found))
        self.query_one("#question", Bar).show(
            question(self.gate.question, self.found.card.path, self.app.size.width)
        )
        settled = self.found.card.status != "open"
        out = (
            {each.id for each in commands.of("conflict")} - {"conflict.back"}
            if settled
            else {"conflict.back"}
        )
        hints = commands.hints("conflict", leave_out=frozenset(out))
        self.query_one(HintBar).show_hints(hints, commands.tail("conflict"))

    # --- looking ------------------------------------------------------------------------------------

    def action_place(self, by: int) -> None:
        """The next place that differs."""
        self.query_one(ThreeView).next_place(by)

    def action_whole(self) -> None:
        """All lines, or those around what differs."""
        view = self.query_one(ThreeView)
        view.whole = not view.whole
        view.lay_out()

    def action_column(self) -> None:
        """Where one text fits: the next one."""
        if not self.query_one(ThreeView).other_column():
            self.say("All of them are shown.")

    # --- answering ----------------------------------------------------------------------------------

    @work(group="settle", exclusive=True)
    async def action_settle(self, choice: str) -> None:
        """Carry out an answer."""
        found = self.found
        if found is None or found.card.status != "open":
            self.say("This conflict is settled.")
            return
        if choice == "discard" and not await self._let_go():
            return
        artifact = found.card.artifact
        self.desk.settling(artifact, True)
        try:
            resolved = await self.ask_engine(lambda session: settling.settle(session, self.gate_id, choice))
        except FlowError as error:
            self.desk.settling(artifact, False)
            self.tell(error)
            return
        self.desk.settled(artifact)
        self.say(_told(resolved), good=True)
        if resolved.fence is not None:
            await self.desk.edit_at(resolved.path, 0)
        else:
            self.dismiss()

    async def _let_go(self) -> bool:
        words: list[list[Span]] = [
            [("Theirs stands. Your text goes; it stays in no draft and no variation.", "quiet")]
        ]
        sure = await self.app.push_screen_wait(Confirm("Let your text go?", words, yes="let it go"))
        return bool(sure)

    def is_about(self, gate: Gate) -> bool:
        return gate.id == self.gate_id

    def action_back(self) -> None:
        """To where one came from; the card stays open."""
        self.dismiss()


def _told(resolved: Resolved) -> str:
    """What came of it."""
    path = clean(resolved.path)
    if resolved.nothing:
        return f"Theirs stands in {path}; there was no text of yours."
    if resolved.number is not None:
        return f"Your text is variation {resolved.number} of {path}; theirs stands."
    if resolved.kept is not None:
        return f"Your bytes are in {clean(resolved.kept)}; theirs stands."
    if resolved.fence is not None:
        left = (
            f"{count(resolved.conflicts, 'place')} to decide, between markers."
            if resolved.conflicts
            else "Look it through, then save."
        )
        return f"Both are in the draft. {left}"
    if resolved.draft is not None:
        return f"Your text is a kept draft of {path}; theirs stands."
    return f"Theirs stands in {path}."
