"""The panes of the workspace, and their tabs where one is shown at a time."""

from __future__ import annotations

from flowide.tui.views.spans import Span

PANES = ("files", "artifact", "side", "thread")
"""From the left; the last two share a place."""
TINY = 60
"""Below so many cells only the tab that is shown has its name."""


def tabs(shown: str, waiting: int, width: int) -> list[Span]:
    """A tab for each pane; the work list's says how many questions wait."""
    names = {
        "files": "1 files",
        "artifact": "2 artifact",
        "side": f"3 work{f' {waiting}?' if waiting else ''}",
        "thread": "4 thread",
    }
    spans: list[Span] = [(" ", "")]
    for pane, name in names.items():
        here = pane == shown
        short = "".join(part for part in name.split() if part[0].isdigit())
        words = short if width < TINY and not here else name
        spans += [(f" {words} ", "cursor b" if here else "quiet"), (" ", "")]
    return spans
