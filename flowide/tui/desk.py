"""What screens and panes know of the app: the engine, the newest picture, and toasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from flowide.errors import FlowError
from flowide.tui.guide import Guide
from flowide.tui.views.snapshot import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App

    from flowide.tui.engine.thread import Engine, Work
    from flowide.tui.views.hunks import Marks
    from flowide.tui.views.runs import Item

T = TypeVar("T")


class Desk(Protocol):
    """The app, as far as what it shows knows it."""

    engine: Engine
    snapshot: Snapshot
    """The newest picture of the space."""
    book: Mapping[str, str]
    """Colour role of each handle."""
    root: Path | None
    """The project's folder; None in tests without one."""
    guide: Guide | None
    """None but in the demo."""
    marks: dict[str, Marks]
    """What the person said so far about the changes of a question, by gate."""

    @property
    def open_file(self) -> str | None:
        """Path of the file that is shown in the workspace."""
        ...

    def open_path(self, path: str) -> None:
        """Show a file in the workspace."""
        ...

    def jump_to(self, thread: str, message: str | None) -> None:
        """Show a thread in the workspace, at a message."""
        ...

    def settling(self, artifact: str, begins: bool) -> None:
        """A conflict of an artifact is being settled, or was not: its lock may go while it is edited here."""
        ...

    def settled(self, artifact: str) -> None:
        """A conflict of an artifact is settled: what was being edited has gone where it was wanted."""
        ...

    def open_item(self, item: Item) -> None:
        """Show what a row of the work list stands for, in the workspace."""
        ...

    def start_command(self, id: str) -> None:
        """Do what a row of the command table says, as the palette does."""
        ...

    async def edit_at(self, path: str, line: int) -> None:
        """Leave every screen for the editor of a file, at a line from 0."""
        ...


class AtDesk:
    """For screens and panes: what they ask of the app, and how they tell refusals."""

    app: App[object]

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

    async def ask_engine(self, work: Work[T]) -> T:
        """Have the engine do something.

        Raises:
            FlowError: What it refused.
        """
        return await self.desk.engine.call(work)

    def tell(self, error: FlowError) -> None:
        """A refusal in words, as a toast."""
        self.app.notify(
            f"{error.message}\n{error.hint}".strip(),
            title=error.code,
            severity="warning",
            markup=False,
            timeout=8,
        )

    def say(self, words: str, *, good: bool = False) -> None:
        """A short toast."""
        self.app.notify(words, severity="information" if good else "warning", markup=False, timeout=4)
