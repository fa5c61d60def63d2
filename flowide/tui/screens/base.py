"""What all screens share: the engine, the newest picture, and errors as toasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.screen import Screen

from flowide.errors import FlowError
from flowide.tui.engine.thread import News, Work
from flowide.tui.views.snapshot import Snapshot

if TYPE_CHECKING:
    from flowide.tui.application import FlowApp

T = TypeVar("T")

NARROW = 100
"""Below so many cells one pane, or one column, is shown at a time."""


class FlowScreen(Screen[None]):
    """A full screen of the app."""

    wheres: ClassVar[tuple[str, ...]] = ("app",)
    """Places of the command table that belong to this screen."""

    @property
    def desk(self) -> FlowApp:
        """The app, with its engine."""
        return cast("FlowApp", self.app)

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture of the space."""
        return self.desk.snapshot

    @property
    def book(self) -> Mapping[str, str]:
        """Colour role of each handle."""
        return self.desk.book

    def on_news(self, news: News) -> None:
        """Something happened in the space; draw what changed."""

    async def ask_engine(self, work: Work[T]) -> T:
        """Have the engine do something.

        Raises:
            FlowError: What it refused.
        """
        return await self.desk.engine.call(work)

    def tell(self, error: FlowError) -> None:
        """A refusal in words, as a toast."""
        self.notify(
            f"{error.message}\n{error.hint}".strip(),
            title=error.code,
            severity="warning",
            markup=False,
            timeout=8,
        )

    def say(self, words: str, *, good: bool = False) -> None:
        """A short toast."""
        self.notify(words, severity="information" if good else "warning", markup=False, timeout=4)
