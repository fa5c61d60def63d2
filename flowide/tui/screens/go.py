"""What ctrl+o leads to: one letter, and the letters are shown."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from flowide.tui import commands
from flowide.tui.commands import Command
from flowide.tui.dialogs import Words
from flowide.tui.views.spans import Span


class GoScreen(ModalScreen[Command | None]):
    """Takes the next key."""

    def compose(self) -> ComposeResult:
        spans: list[Span] = [("go to ", "quiet b")]
        rows: list[list[Span]] = [spans]
        used = 6
        for command in commands.go_targets():
            title = command.title.partition(":")[0]
            title = title[:1].lower() + title[1:]
            size = len(title) + 5
            if used + size > self.app.size.width - 4:
                rows.append([("      ", "")])
                used = 6
            rows[-1] += [("  ", ""), (command.go, "key b"), (f" {title}", "")]
            used += size
        with Vertical(id="box"):
            yield Words(rows)

    def on_key(self, event: events.Key) -> None:
        """The letter, or any other key to stay."""
        event.stop()
        event.prevent_default()
        found = [command for command in commands.go_targets() if command.go == event.character]
        self.dismiss(found[0] if found else None)
