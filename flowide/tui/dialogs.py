"""Small dialogs: texts in, an answer out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from msgspec import Struct
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from flowide.tui.ink import Ink, ink_of
from flowide.tui.views.hints import Hint
from flowide.tui.views.spans import Row, Span
from flowide.tui.widgets.bars import HintBar
from flowide.tui.widgets.field import Field
from flowide.tui.widgets.lines import LineWidget
from flowide.tui.widgets.rows import RowsPane

T = TypeVar("T")

CANCEL = Hint("esc", "cancel", "escape")

Lines = Sequence[Sequence[Span]]


class Words(Widget):
    """A few fixed lines."""

    DEFAULT_CSS = "Words { height: auto; width: 1fr; }"

    def __init__(self, lines: Lines, *, id: str | None = None, ground: str = "panel") -> None:
        super().__init__(id=id)
        self.lines = list(lines)
        self.ground = ground

    def show(self, lines: Lines) -> None:
        """Say something else."""
        self.lines = list(lines)
        self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        spans = self.lines[y] if y < len(self.lines) else []
        return ink_of(self.app).strip(spans, self.size.width, self.ground)


class Dialog(ModalScreen[T]):
    """A panel with an accent bar over the dimmed screen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def action_cancel(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)


class Ask(Dialog[str | None]):
    """One line of text; None = not answered."""

    def __init__(
        self, title: str, lines: Lines = (), *, value: str = "", placeholder: str = "", enter: str = "ok"
    ) -> None:
        super().__init__()
        self._title, self._lines, self._value = title, lines, value
        self._placeholder, self._enter = placeholder, enter

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Words([[(self._title, "b")], *self._lines, []])
            yield Field(self._value, placeholder=self._placeholder, id="answer")
            yield Words([[]])
            yield HintBar(id="dialog-hints")

    def on_mount(self) -> None:
        """The field has the keys."""
        self.query_one(HintBar).show_hints([Hint("enter", self._enter, "enter"), CANCEL])
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter answers."""
        self.dismiss(event.value)


class Confirm(Dialog[bool | None]):
    """Yes with enter or y, no with esc or n."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "yes", show=False),
        Binding("n", "cancel", show=False),
    ]

    def __init__(self, title: str, lines: Lines = (), *, yes: str = "yes") -> None:
        super().__init__()
        self._title, self._lines, self._yes = title, lines, yes

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Words([[(self._title, "b")], [], *self._lines, []])
            yield HintBar(id="dialog-hints")

    def on_mount(self) -> None:
        """Say which keys answer."""
        self.query_one(HintBar).show_hints([Hint("enter", self._yes, "enter"), CANCEL])

    def action_yes(self) -> None:
        """Go ahead."""
        self.dismiss(True)


class ScrolledWords(LineWidget):
    """Lines that may be longer than the dialog is high."""

    DEFAULT_CSS = "ScrolledWords { height: auto; max-height: 26; }"
    ground = "panel"
    edge = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "scroll(-12)", show=False),
        Binding("pagedown,space", "scroll(12)", show=False),
    ]

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = list(lines)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines)

    def line_count(self) -> int:
        return len(self._lines)

    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        return ink.strip(self._lines[index], width, self.ground)

    def action_scroll(self, by: int) -> None:
        """Up or down."""
        self.scroll_lines(by)


AROUND = 8
"""Lines of a dialog, and around it, that are not its text."""


class Show(Dialog[None]):
    """Words to read; esc, enter or q closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,q,question_mark", "cancel", show=False)]

    def __init__(self, title: str, lines: Lines) -> None:
        super().__init__()
        self._title, self._lines = title, lines

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Words([[(self._title, "b")], []])
            yield ScrolledWords(self._lines)
            yield Words([[]])
            yield HintBar(id="dialog-hints")

    def on_mount(self) -> None:
        """Say how to leave; what is long scrolls."""
        self._fit()
        self.query_one(HintBar).show_hints([Hint("↑↓", "scroll", "down"), Hint("esc", "close", "escape")])
        self.query_one(ScrolledWords).focus()

    def on_resize(self) -> None:
        """As high as there is room."""
        self._fit()

    def _fit(self) -> None:
        self.query_one(ScrolledWords).styles.max_height = max(3, min(30, self.app.size.height - AROUND))


class Choice(Struct, frozen=True):
    """Something that can be chosen by its letter."""

    key: str
    title: str
    help: str = ""


class Choose(Dialog[str | None]):
    """One of several things, by its letter or with enter; None = none."""

    def __init__(self, title: str, lines: Lines, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title, self._lines, self._choices = title, lines, choices

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Words([[(self._title, "b")], *self._lines, []])
            yield RowsPane(id="choices", ground="panel", edge=False)
            yield Words([[]])
            yield HintBar(id="dialog-hints")

    def on_mount(self) -> None:
        """The first one is under the cursor."""
        rows = self.query_one(RowsPane)
        rows.styles.height = len(self._choices)
        rows.show(
            [
                Row(((f"{each.key}  ", "key b"), (each.title, ""), (f"  {each.help}", "quiet")), (), each.key)
                for each in self._choices
            ]
        )
        rows.focus()
        self.query_one(HintBar).show_hints([Hint("enter", "choose", "enter"), CANCEL])

    def on_key(self, event: events.Key) -> None:
        """A letter chooses at once."""
        if any(each.key == event.character for each in self._choices):
            event.stop()
            self.dismiss(event.character)

    def on_rows_pane_chosen(self, event: RowsPane.Chosen) -> None:
        """Enter, or a click."""
        event.stop()
        self.dismiss(str(event.key))
