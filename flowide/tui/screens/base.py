"""What all screens share."""

from __future__ import annotations

from typing import ClassVar

from textual.screen import Screen

from flowide.tui.desk import AtDesk
from flowide.tui.engine.news import News

NARROW = 100
"""Below so many cells one pane, or one column, is shown at a time."""


class FlowScreen(AtDesk, Screen[None]):
    """A full screen of the app."""

    wheres: ClassVar[tuple[str, ...]] = ("app",)
    """Places of the command table that belong to this screen."""

    def on_news(self, news: News) -> None:
        """Something happened in the space; draw what changed."""

    async def keep_text(self) -> list[str]:
        """Before the app ends: store what was typed and not saved; says where, a line for each text."""
        return []
