"""The workspace: files, one artifact, and what runs or waits. It only composes and routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from flowide.errors import FlowError
from flowide.tui import commands
from flowide.tui.engine import editing
from flowide.tui.engine.news import News
from flowide.tui.screens.artifact import ArtifactPart
from flowide.tui.screens.base import NARROW
from flowide.tui.views.actors import presence
from flowide.tui.views.runs import Item, side_rows
from flowide.tui.views.spans import Span, clean, shorten_path
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.code import CodeView
from flowide.tui.widgets.rows import RowsPane

if TYPE_CHECKING:
    from flowide.flows.api import RunRequest

PANES = ("tree", "artifact", "side")
MEDIUM = 118
"""Below so many cells the outer panes get narrower."""


class Workspace(ArtifactPart):
    """The first screen."""

    wheres = ("workspace", "editor", "app")
    BINDINGS: ClassVar[list[BindingType]] = [*commands.bindings("workspace"), *commands.bindings("editor")]
    AUTO_FOCUS = "#tree"

    def __init__(self) -> None:
        super().__init__()
        self._shown_pane = "tree"

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        with Horizontal(id="panes"):
            with Vertical(id="files"):
                yield RowsPane(id="tree")
            with Vertical(id="middle"):
                yield CodeView(id="code")
            yield RowsPane(id="side")
        yield Bar(id="lock", ground="surface")
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Words in every pane, before anything is known."""
        self._fit()
        self.query_one("#side", RowsPane).set_title([("WORK", "quiet b")])
        self.draw_files()
        self.draw_artifact()
        self._draw_frame()
        self.call_after_refresh(self.rescan)

    # --- layout -------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """One pane below 100 cells, narrower panes below 118."""
        self._fit()
        self._draw_frame()

    def _fit(self) -> None:
        width = self.app.size.width
        self.set_class(width < NARROW, "-narrow")
        self.set_class(NARROW <= width < MEDIUM, "-medium")
        for pane in PANES:
            self.set_class(pane == self._shown_pane, f"-on-{pane}")

    @property
    def narrow(self) -> bool:
        """Whether one pane is shown at a time."""
        return self.has_class("-narrow")

    def action_focus_pane(self, pane: str) -> None:
        """Give a pane the keys; where only one is shown, show it."""
        self.show_pane(pane)

    def show_pane(self, pane: str) -> None:
        """Give a pane the keys."""
        self._shown_pane = pane
        self._fit()
        if pane == "artifact":
            (self.editor or self.query_one("#code", CodeView)).focus()
        else:
            self.query_one(f"#{pane}", RowsPane).focus()
        self._draw_frame()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The hints belong to what has the keys."""
        widget = event.widget
        pane = {"tree": "tree", "find": "tree", "side": "side"}.get(widget.id or "", "artifact")
        if pane != self._shown_pane:
            self._shown_pane = pane
            self._fit()
        self._draw_frame()

    # --- drawing ------------------------------------------------------------------------------------

    def on_news(self, news: News) -> None:
        """The newest picture goes to every pane."""
        if news.snapshot is not None:
            self.draw_files()
            self.query_one("#side", RowsPane).show(side_rows(self.snapshot, self.book))
            self.follow_artifact()
            self._draw_frame()

    def _draw_frame(self) -> None:
        bar = self.query_one("#where", Bar)
        state = self.snapshot
        if self.narrow:
            bar.show(self._tabs(), [*presence(state, self.book)[:2], (" ", "")])
        else:
            left: list[Span] = [(" flowide", "accent b"), (" · ", "quiet"), (clean(state.project), "b")]
            if self.opened is not None:
                left += [(" ▸ ", "quiet"), (shorten_path(clean(self.opened.path), 48), "")]
            bar.show(left, [*presence(state, self.book), (" ", "")])
        self.query_one("#lock", Bar).show(*self.lock_words())
        self._draw_hints()

    def _tabs(self) -> list[Span]:
        waiting = len(self.snapshot.gates)
        names = {
            "tree": "1 files",
            "artifact": "2 artifact",
            "side": f"3 work{f' {waiting}?' if waiting else ''}",
        }
        spans: list[Span] = [(" ", "")]
        for pane, name in names.items():
            here = pane == self._shown_pane
            spans += [(f" {name} ", "cursor b" if here else "quiet"), (" ", "")]
        return spans

    def _draw_hints(self) -> None:
        hints = [("enter", "open"), *commands.hints("workspace")]
        if self.editor is not None and self.editor.has_focus:
            hints = commands.hints("editor")
        elif not self.snapshot.gates:
            hints = [pair for pair in hints if pair[1] != "answer"]
        tail = [("^o", "go"), ("^p", "commands"), ("?", "help")]
        self.query_one("#hints", HintBar).show_hints([*hints, *tail])

    # --- routes -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Saving and leaving exist only while something is edited; letters only while nothing is typed."""
        if action in {"save_edit", "leave_edit"}:
            return self.editor is not None and self.app.screen is self
        return True

    async def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """Enter in the tree or in the side pane."""
        event.stop()
        if event.pane.id == "tree":
            self.choose_file(event.key)
        elif isinstance(event.key, Item):
            self.open_item(event.key)

    def open_item(self, item: Item) -> None:
        """Show what a row of the side pane stands for."""
        if item.kind == "set":
            self.open_set(item.ref)
        elif item.kind == "run":
            from flowide.tui.screens.run import RunScreen

            self.app.push_screen(RunScreen(item.ref))
        elif item.kind == "gate":
            self.open_gate(item.ref)
        elif item.kind == "draft":
            self.adopt_draft(item.ref)

    def open_set(self, set_id: str) -> None:
        """The variation grid."""
        from flowide.tui.screens.grid import GridScreen

        self.app.push_screen(GridScreen(set_id))

    def open_gate(self, gate_id: str) -> None:
        """A question: about variations it is answered in their grid, others in a dialog."""
        gate = next((gate for gate in self.snapshot.gates if gate.id == gate_id), None)
        if gate is None:
            return
        set_id = gate.context.get("set")
        if gate.kind == "choose" and isinstance(set_id, str):
            self.open_set(set_id)
            return
        from flowide.tui.screens.gate import ask_gate

        ask_gate(self, gate)

    def action_open_gate(self) -> None:
        """The newest open question."""
        if not self.snapshot.gates:
            self.say("No question is open.")
            return
        self.open_gate(self.snapshot.gates[0].id)

    def action_open_variations(self) -> None:
        """The newest set of the open file, else the newest of all."""
        path = self.opened.path if self.opened else ""
        found = self.snapshot.sets_of(path) or list(self.snapshot.sets)
        if found:
            self.open_set(found[0].id)
        else:
            self.say("There are no variations yet. Press v to have some made.")

    def action_vary(self) -> None:
        """Ask what is wanted, then start a run."""
        from flowide.tui.screens.vary import VaryDialog

        path = self.opened.path if self.opened and self.opened.text is not None else None
        self.app.push_screen(VaryDialog(path, self.snapshot.seats), self._vary)

    def _vary(self, request: RunRequest | None) -> None:
        if request is not None:
            self.start_variations(request)

    @work(group="draft")
    async def adopt_draft(self, draft: str) -> None:
        """Take the lock and go on with a kept draft."""
        from flowide.tui.screens.dialogs import Confirm

        words: list[list[Span]] = [
            [("It opens in the editor, under the lock. Nothing is saved until you save.", "quiet")]
        ]
        if not await self.app.push_screen_wait(Confirm("Go on with this draft?", words, yes="go on")):
            return
        try:
            path = await self.ask_engine(lambda session: editing.adopt(session, draft))
        except FlowError as error:
            self.tell(error)
            return
        self.edit_adopted(path)
