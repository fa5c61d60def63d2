"""What is wanted of new variations: a brief, how many, from whom, and what checks them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.strip import Strip
from textual.widgets import Input, TextArea

from flowide.flows.api import RunRequest
from flowide.tui.dialogs import CANCEL, Dialog, Words
from flowide.tui.guide import Guide
from flowide.tui.ink import Ink, ink_of
from flowide.tui.views.hints import Hint
from flowide.tui.views.snapshot import Seat
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.vary import Wanted, request_of, seats_line
from flowide.tui.widgets.bars import HintBar
from flowide.tui.widgets.editor import editor_theme
from flowide.tui.widgets.field import Field
from flowide.tui.widgets.lines import LineWidget


class SeatPicker(LineWidget):
    """Agents in a line; space takes one in or out."""

    DEFAULT_CSS = "SeatPicker { height: 1; }"
    ground = "panel"
    edge = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", show=False),
        Binding("right", "move(1)", show=False),
        Binding("space", "switch", show=False),
        Binding("enter", "screen.start", show=False),
    ]

    def __init__(self, seats: Sequence[Seat], *, id: str) -> None:
        super().__init__(id=id)
        self.seats = list(seats)
        self.chosen = {seat.handle for seat in seats if not seat.by_name_only}
        self.chosen = self.chosen or {seat.handle for seat in seats[:1]}
        self.cursor = 0

    def line_count(self) -> int:
        return 1

    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        spans = seats_line(self.seats, self.chosen, self.cursor if self.has_focus else None)
        return ink.strip(spans, width, self.ground)

    def action_move(self, by: int) -> None:
        """Another agent."""
        self.cursor = max(0, min(len(self.seats) - 1, self.cursor + by))
        self.redraw()

    def action_switch(self) -> None:
        """In or out."""
        if self.seats:
            self.chosen ^= {self.seats[self.cursor].handle}
            self.redraw()


class VaryDialog(Dialog[RunRequest | None]):
    """A form; ctrl+s or enter in a one-line field starts the run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", show=False, priority=True),
        Binding("escape", "cancel", show=False, priority=True),
    ]

    def __init__(self, path: str | None, seats: Sequence[Seat], proposal: Guide | None = None) -> None:
        """`path` is the file they start from, None = a new one; `proposal` fills the form in."""
        super().__init__()
        self._path, self._seats, self._proposal = path, seats, proposal

    def compose(self) -> ComposeResult:
        about = clean(self._path) if self._path else "a new text"
        with Vertical(id="box"):
            yield Words(
                [[("New variations", "b"), (f"  of {about}", "quiet")], [], _label("What is wanted?")]
            )
            proposal = self._proposal
            brief = TextArea(
                proposal.brief if proposal else "", id="brief", soft_wrap=True, tab_behavior="focus"
            )
            brief.cursor_blink = False
            yield brief
            yield Words([[], _label("How many?", "2 to 10")])
            yield Field("5" if proposal else "3", id="count")
            yield Words([[], _label("From whom?", "space takes one in or out")])
            yield SeatPicker(self._seats, id="seats")
            yield Words(
                [[], _label("Check each with", "commands, run on a copy of the project; ; between two")]
            )
            checks = "; ".join(proposal.checks) if proposal else ""
            yield Field(checks, id="check", placeholder="python -m pytest -q")
            if self._path is None:
                yield Words([[], _label("Where would an accepted one go?")])
                yield Field(id="path", placeholder="docs/plan.md")
            yield Words([[]], id="problem")
            yield HintBar(id="dialog-hints")

    def on_mount(self) -> None:
        """The brief has the keys."""
        self.query_one(HintBar).show_hints(
            [Hint("^s", "start", "ctrl+s"), Hint("tab", "next field", "tab"), CANCEL]
        )
        brief = self.query_one("#brief", TextArea)
        brief.register_theme(editor_theme(ink_of(self.app)))
        brief.theme = "flowide"
        brief.move_cursor(brief.document.end)
        brief.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a one-line field starts."""
        self.action_start()

    def action_start(self) -> None:
        """Check the form, and hand it over."""
        paths = self.query("#path").results(Input)
        wanted = Wanted(
            brief=self.query_one("#brief", TextArea).text,
            count=self.query_one("#count", Input).value,
            agents=[s.handle for s in self._seats if s.handle in self.query_one(SeatPicker).chosen],
            check=self.query_one("#check", Input).value,
            path=self._path or next((field.value for field in paths), ""),
            based=self._path is not None,
        )
        request = request_of(wanted)
        if isinstance(request, str):
            self.query_one("#problem", Words).show([[(request, "warn")]])
            return
        self.dismiss(request)


def _label(text: str, more: str = "") -> list[Span]:
    return [(text, "accent"), (f"  {more}" if more else "", "quiet")]
