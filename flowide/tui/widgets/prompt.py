"""Where a message is typed: enter sends, ctrl+j or a backslash and enter begins a new line."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import TextArea

from flowide.tui.ink import ink_of
from flowide.tui.widgets.editor import editor_theme


class Prompt(TextArea):
    """A text area that grows with what is typed."""

    DEFAULT_CSS = """
    Prompt {
        height: auto; min-height: 1; max-height: 6; width: 1fr; border: none; padding: 0 1 0 0;
        background: $field; scrollbar-size: 0 0;
    }
    Prompt:focus { border: none; }
    """

    @dataclass
    class Sent(Message):
        """Enter: what is typed is to be said."""

    @dataclass
    class Tabbed(Message):
        """Tab: complete the word, or go on."""

    @dataclass
    class Moved(Message):
        """An arrow while completions are listed."""

        by: int

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, soft_wrap=True, tab_behavior="focus")
        self.cursor_blink = False
        self.highlight_cursor_line = False
        self.choosing = False
        """Completions are listed: the arrows go through them."""

    def on_mount(self) -> None:
        """The app's colours."""
        self._dress()
        self.app.theme_changed_signal.subscribe(self, lambda _: self._dress())

    def _dress(self) -> None:
        self.register_theme(editor_theme(ink_of(self.app)))
        self.theme = "css"
        self.theme = "flowide"

    @property
    def before(self) -> str:
        """What stands left of the cursor in its line."""
        row, column = self.cursor_location
        return self.document[row][:column]

    def complete(self, word: str, whole: str, *, space: bool = True) -> None:
        """Put a whole word in the place of the one at the cursor, and a space after it."""
        row, column = self.cursor_location
        self.replace(whole + " " * space, (row, column - len(word)), (row, column))

    def action_newline(self) -> None:
        """A new line at the cursor."""
        self.insert("\n")

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            row, column = self.cursor_location
            if self.before.endswith("\\"):
                self.replace("\n", (row, column - 1), (row, column))
            else:
                self.post_message(self.Sent())
        elif event.key == "ctrl+j":
            event.stop()
            event.prevent_default()
            self.action_newline()
        elif self.choosing and event.key in {"up", "down"}:
            event.stop()
            event.prevent_default()
            self.post_message(self.Moved(1 if event.key == "down" else -1))
        elif event.key == "tab":
            event.stop()
            event.prevent_default()
            self.post_message(self.Tabbed())

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = event.text.replace("\r\n", "\n").replace("\r", "\n")


class PromptEdge(Widget):
    """The edge of the pane beside the prompt, and the sign where typing begins."""

    DEFAULT_CSS = "PromptEdge { width: 3; height: 100%; }"

    lit = False
    """Whether the prompt has the keys."""

    def light(self, lit: bool) -> None:
        """The prompt got or lost the keys."""
        self.lit = lit
        self.refresh()

    def render_line(self, y: int) -> Strip:
        ink = ink_of(self.app)
        edge = ("▌", "accent") if self.lit else ("│", "hairline")
        ground = "field"
        return Strip(
            [*ink.segments([edge], "surface"), *ink.segments([("› " if y == 0 else "  ", "accent")], ground)],
            3,
        )
