"""What all screens share: the engine, the newest picture, and errors as toasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol, TypeVar, cast

from textual.screen import Screen

from flowide.errors import FlowError
from flowide.tui.engine.news import News
from flowide.tui.engine.thread import Engine, Work
from flowide.tui.views.snapshot import Snapshot

T = TypeVar("T")

NARROW = 100
"""Below so many cells one pane, or one column, is shown at a time."""


class Desk(Protocol):
    """What a screen needs of the app it is shown in."""

    engine: Engine
    snapshot: Snapshot
    """The newest picture of the space."""
    book: Mapping[str, str]
    """Colour role of each handle."""


class FlowScreen(Screen[None]):
    """A full screen of the app."""

    wheres: ClassVar[tuple[str, ...]] = ("app",)
    """Places of the command table that belong to this screen."""

    @property
    def desk(self) -> Desk:
        """The app, as far as screens know it."""
        return cast(Desk, self.app)

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
