"""What all panes share."""

from __future__ import annotations

from textual.containers import Vertical

from flowide.tui.desk import AtDesk


class Pane(AtDesk, Vertical):
    """A part of the workspace: its widgets below each other, and what it asks of the app."""
