"""Why a change, or a text, is sent back: a kind, and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from flowide.tui.dialogs import CANCEL, Dialog, Words
from flowide.tui.views.hints import Hint
from flowide.tui.views.hunks import KINDS, Said
from flowide.tui.views.spans import Row, clean
from flowide.tui.widgets.bars import HintBar
from flowide.tui.widgets.field import Field
from flowide.tui.widgets.rows import RowsPane

if TYPE_CHECKING:
    from flowide.space.queries import Remembered


class ReasonField(Field):
    """A digit is no text as long as nothing is typed: it chooses the kind."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        if not self.value and key.isdigit() and key != "0":
            return False
        return super().check_consume_key(key, character)


class ReasonDialog(Dialog[Said | None]):
    """A digit or an arrow chooses the kind, words are typed; what was said before can be said again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        *[Binding(str(digit), f"kind({digit})", show=False, priority=True) for digit in range(1, 10)],
    ]

    def __init__(self, title: str, remembered: Sequence[Remembered] = ()) -> None:
        super().__init__()
        self._title = title
        self._before = [each for each in remembered if each.text.strip()][:5]

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Words([[(clean(self._title), "b")], []])
            yield RowsPane(id="choices", ground="panel", edge=False)
            yield Words([[]])
            yield ReasonField(placeholder="in your words; empty = as the line says", id="answer")
            yield Words([[]])
            yield HintBar(id="dialog-hints")

    def on_mount(self) -> None:
        """The words have the keys; the list shows what is chosen."""
        rows = [
            Row(((f"{number}  ", "key b"), (f"{words:<13}", ""), (help, "quiet")), (), number - 1)
            for number, (_, words, help) in enumerate(KINDS, 1)
        ]
        if self._before:
            rows.append(Row((("SAID BEFORE", "quiet b"),)))
        for index, each in enumerate(self._before):
            times = ((f"{each.times}\N{MULTIPLICATION SIGN}", "quiet"),) if each.times > 1 else ()
            rows.append(
                Row((("·  ", "quiet"), (clean(" ".join(each.text.split())), "")), times, len(KINDS) + index)
            )
        pane = self.query_one(RowsPane)
        pane.styles.height = min(len(rows), max(3, self.app.size.height - 10))
        pane.always_lit, pane.can_focus = True, False
        pane.show(rows)
        self.query_one(HintBar).show_hints(
            [Hint("1-9 ↑↓", "kind", "down"), Hint("enter", "refuse", "enter"), CANCEL]
        )
        self.query_one(Input).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A digit chooses the kind as long as nothing is typed."""
        return action != "kind" or not self.query_one(Input).value

    def action_kind(self, number: int) -> None:
        """The kind with this number."""
        self.query_one(RowsPane).move_to(number - 1)

    def action_move(self, by: int) -> None:
        """Another kind, or something that was said before."""
        self.query_one(RowsPane).action_move(by)

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """A click on a line moves there; enter sends it."""
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter says it."""
        event.stop()
        self.dismiss(self._said(event.value.strip()))

    def _said(self, typed: str) -> Said:
        chosen = self.query_one(RowsPane).current
        index = chosen if isinstance(chosen, int) else 0
        if index < len(KINDS):
            kind, words, _ = KINDS[index]
            return Said(typed or words, kind)
        before = self._before[index - len(KINDS)]
        known = {kind for kind, _, _ in KINDS}
        return Said(typed or before.text, before.kind if before.kind in known else "other")
