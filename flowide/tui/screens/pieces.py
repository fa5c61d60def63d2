"""The piece table of a variation set: see at a glance what differs, and pick from there."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from flowide.tui import commands
from flowide.tui.screens.base import FlowScreen
from flowide.tui.views.grid_state import GridState
from flowide.tui.views.hints import Hint
from flowide.tui.views.piece_table import Cell, table_head, table_rows
from flowide.tui.views.spans import Row, clean
from flowide.tui.widgets.bars import Bar, HintBar
from flowide.tui.widgets.rows import RowsPane


class PiecesScreen(FlowScreen):
    """Works on the state of the grid it was opened from; the grid draws what was picked here."""

    wheres = ("pieces", "app")
    AUTO_FOCUS = "#table"
    BINDINGS: ClassVar[list[BindingType]] = [
        *commands.bindings("pieces"),
        *[Binding(str(digit), f"number({digit})", show=False) for digit in range(1, 10)],
    ]

    def __init__(self, state: GridState) -> None:
        super().__init__()
        self.state = state

    def compose(self) -> ComposeResult:
        yield Bar(id="where")
        yield RowsPane(id="table", ground="background", edge=False)
        yield Bar(id="mix", ground="surface")
        yield HintBar(id="hints")

    def on_mount(self) -> None:
        """Begin at the piece the grid was at."""
        self.draw()
        piece = self.state.piece
        if piece is not None:
            self.query_one(RowsPane).move_to(Cell(piece.name))

    def on_resize(self) -> None:
        """The table is as wide as the screen."""
        self.draw()

    def draw(self) -> None:
        """Everything, from the state."""
        state, table = self.state, self.query_one(RowsPane)
        title = clean(state.grid.group.title)
        self.query_one("#where", Bar).show(
            [(" pieces", "accent b"), (" ▸ ", "quiet"), (title, "b")],
            [("same letter = same text, · = missing ", "quiet")],
        )
        width = table.body_width - 1
        table.set_title(table_head(state.grid, state.base, state.focus, width))
        rows = table_rows(state.grid, state.picks, state.base, state.focus, width)
        table.show(rows or [Row((("No pieces are known in this kind of text.", "quiet"),))])
        mix, _ = state.mix_bar(state.grid.group.count + 1)
        self.query_one("#mix", Bar).show(mix)
        hints = commands.hints("pieces", leave_out=frozenset({"pieces.back"}))
        self.query_one(HintBar).show_hints(
            [*hints, Hint("enter", "see it", "enter")], commands.tail("pieces")
        )

    def action_column(self, by: int) -> None:
        """Another variation."""
        self.state.move_column(by)
        self.draw()

    def action_number(self, number: int) -> None:
        """The column of a variation."""
        self.state.focus_number(number)
        self.draw()

    def action_pick(self) -> None:
        """Take the piece of this variation, or put it back."""
        key = self.query_one(RowsPane).current
        if isinstance(key, Cell):
            refused = self.state.toggle_piece(key.piece)
            if refused:
                self.say(refused)
            self.draw()

    def action_base(self) -> None:
        """This variation becomes the base of the mix."""
        refused = self.state.set_base()
        if refused:
            self.say(refused)
        self.draw()

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """See the piece in the grid."""
        event.stop()
        if isinstance(event.key, Cell):
            self.state.go_to_piece(event.key.piece)
            self.dismiss()

    def action_back(self) -> None:
        """To the grid."""
        self.dismiss()
