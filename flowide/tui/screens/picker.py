"""Choosing from a long list by typing parts of a name: the commands, the themes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from flowide.tui.dialogs import CANCEL, Dialog, Words
from flowide.tui.views.hints import Hint
from flowide.tui.views.picking import ranked
from flowide.tui.views.spans import Row
from flowide.tui.widgets.bars import HintBar
from flowide.tui.widgets.field import Field
from flowide.tui.widgets.rows import RowsPane

MOST_ROWS = 16


class Entry(Struct, frozen=True):
    """Something to choose."""

    id: str
    title: str
    help: str = ""
    key: str = ""
    """As it is shown at the right."""


class Picker(Dialog[str | None]):
    """Gives the id of what was chosen; None = nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        entries: Sequence[Entry],
        *,
        at: str | None = None,
        preview: Callable[[str | None], None] | None = None,
    ) -> None:
        """`at` is where the cursor begins; `preview` is told each entry it comes to, and None on cancel."""
        super().__init__()
        self._title, self._entries, self._at, self._preview = title, list(entries), at, preview

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Words([[(self._title, "b")], []])
            yield Field(placeholder="parts of a name", id="answer")
            yield Words([[]])
            yield RowsPane(id="choices", ground="panel", edge=False)
            yield Words([[]])
            yield HintBar(id="dialog-hints")

    def on_mount(self) -> None:
        """Everything is listed until something is typed."""
        rows = self.query_one(RowsPane)
        rows.styles.height = min(len(self._entries), MOST_ROWS, max(3, self.app.size.height - 10))
        rows.always_lit = True
        rows.can_focus = False
        self._list("")
        if self._at is not None:
            rows.move_to(self._at)
        self.query_one(HintBar).show_hints(
            [Hint("↑↓", "move", "down"), Hint("enter", "choose", "enter"), CANCEL]
        )
        self.query_one(Input).focus()

    def _list(self, typed: str) -> None:
        found = ranked(typed, self._entries, lambda each: (each.title, each.help))
        rows = self.query_one(RowsPane)
        rows.show(
            [
                Row(((each.title, ""), (f"  {each.help}", "quiet")), ((f"{each.key} ", "key"),), each.id)
                for each in found
            ]
            or [Row((("Nothing like that.", "quiet"),))]
        )
        rows.action_end(-1)

    def on_input_changed(self, event: Input.Changed) -> None:
        """List what fits."""
        event.stop()
        self._list(event.value)

    def on_rows_pane_moved(self, event: RowsPane.Moved) -> None:
        """Show what it would be like."""
        event.stop()
        if self._preview is not None and event.key is not None:
            self._preview(str(event.key))

    def action_move(self, by: int) -> None:
        """Another entry, while the keys stay with the field."""
        rows = self.query_one(RowsPane)
        for _ in range(abs(by)):
            rows.action_move(1 if by > 0 else -1)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter chooses."""
        event.stop()
        self._choose(self.query_one(RowsPane).current)

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """A click chooses."""
        event.stop()
        self._choose(event.key)

    def _choose(self, key: object) -> None:
        if key is not None:
            self.dismiss(str(key))

    def action_cancel(self) -> None:
        """As it was before."""
        if self._preview is not None:
            self._preview(None)
        self.dismiss(None)
