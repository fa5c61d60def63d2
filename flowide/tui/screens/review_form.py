"""How a text is to be reviewed: what it is for, and who takes part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.strip import Strip
from textual.widgets import Input

from flowide.flows.api import RunRequest
from flowide.tui.dialogs import CANCEL, Dialog, Words
from flowide.tui.ink import Ink
from flowide.tui.views.hints import Hint
from flowide.tui.views.spans import clean
from flowide.tui.widgets.bars import HintBar
from flowide.tui.widgets.field import Field
from flowide.tui.widgets.lines import LineWidget


class Switch(Struct, frozen=True):
    """Something that is done or not."""

    name: str
    """Of the flow's input."""
    words: str
    help: str


SWITCHES = (
    Switch("draft", "the drafter writes first", "else the file is judged as it is"),
    Switch("polish", "the polisher writes before you see it", ""),
    Switch("hunks", "you say which of the polisher's changes are taken", "one by one"),
)


class Switches(LineWidget):
    """A line for each switch; space turns it."""

    DEFAULT_CSS = "Switches { height: auto; }"
    ground = "panel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("space", "turn", show=False),
        Binding("enter", "screen.start", show=False),
    ]

    def __init__(self, switches: Sequence[Switch], on: set[str], *, id: str) -> None:
        super().__init__(id=id)
        self.switches, self.on = switches, set(on)
        self.cursor = 0

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self.switches)

    def line_count(self) -> int:
        return len(self.switches)

    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        each = self.switches[index]
        lit = self.has_focus and index == self.cursor
        sign = "✓" if each.name in self.on else "○"
        spans = [
            (f" {sign} ", "good b" if each.name in self.on else "quiet"),
            (each.words, "b" if lit else ""),
            (f"  {each.help}", "quiet"),
        ]
        return ink.strip(spans, width, "selected" if lit else self.ground)

    def action_move(self, by: int) -> None:
        """Another line."""
        self.cursor = max(0, min(len(self.switches) - 1, self.cursor + by))
        self.redraw()

    def action_turn(self) -> None:
        """On or off."""
        self.on ^= {self.switches[self.cursor].name}
        self.redraw()


class ReviewForm(Dialog[RunRequest | None]):
    """A form; enter or ctrl+s starts the run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", show=False, priority=True),
        Binding("escape", "cancel", show=False, priority=True),
    ]

    def __init__(self, path: str, *, empty: bool) -> None:
        """An `empty` file has to be written first."""
        super().__init__()
        self._path, self._empty = path, empty

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Words(
                [
                    [("Review", "b"), (f"  of {clean(self._path)}", "quiet")],
                    [],
                    [("What is it for?", "accent"), ("  the agents are told", "quiet")],
                ]
            )
            yield Field(id="brief", placeholder="how we test, for newcomers")
            yield Words([[], [("How?", "accent"), ("  space turns it on and off", "quiet")]])
            yield Switches(
                SWITCHES, {"draft", "polish"} if self._empty else {"polish", "hunks"}, id="switches"
            )
            yield Words([[]])
            yield HintBar(id="dialog-hints")

    def on_mount(self) -> None:
        """The brief has the keys."""
        self.query_one(HintBar).show_hints(
            [Hint("enter", "start", "enter"), Hint("tab", "next field", "tab"), CANCEL]
        )
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter starts."""
        event.stop()
        self.action_start()

    def action_start(self) -> None:
        """Hand the run over."""
        on = self.query_one(Switches).on
        inputs = {"path": self._path, **{each.name: each.name in on for each in SWITCHES}}
        brief = self.query_one(Input).value.strip()
        self.dismiss(RunRequest(flow="review", brief=brief, inputs=inputs, on_gate="wait"))
