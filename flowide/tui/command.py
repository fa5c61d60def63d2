"""One command of the app: a row of the table in `command_table.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person can do. The id is stable; the key is not."""

    id: str
    title: str
    action: str
    """What the screen runs, as Textual's action string."""
    key: str = ""
    """Key names, with commas between alternatives; empty = palette only."""
    where: str = "app"
    """The screen or pane it belongs to: a key of `TITLES` in `flowide/tui/screens/help.py`."""
    help: str = ""
    hint: str = ""
    """What the hint line calls it; empty = not shown there."""
    go: str = ""
    """The letter after ctrl+o."""
    priority: bool = False
    """Also while a text is being typed."""
