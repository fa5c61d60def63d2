"""The part of the workspace that is as it was left."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from flowide.tui.desk import AtDesk
from flowide.tui.panes.artifact import ArtifactPane
from flowide.tui.panes.files import FilesPane
from flowide.tui.remembered import MOST_FOLDERS, Remembered

if TYPE_CHECKING:
    from flowide.tui.habits import Habits
    from flowide.tui.panes.thread import ThreadPane

PANES = frozenset({"files", "artifact", "side", "thread"})


class Returns(AtDesk, Screen[None]):
    """Opens what was open the last time, and says what is open now."""

    shown_pane: str
    right: str
    can_talk: bool

    @property
    def artifact(self) -> ArtifactPane:
        """What is open."""
        return self.query_one(ArtifactPane)

    @property
    def files(self) -> FilesPane:
        """The project's files."""
        return self.query_one(FilesPane)

    @property
    def thread(self) -> ThreadPane:
        """The thread that is open; not before `can_talk`."""
        return cast("ThreadPane", self.query_one("#thread"))

    def show_pane(self, pane: str) -> None:
        """Give a pane the keys."""
        raise NotImplementedError

    def come_back(self) -> bool:
        """Open what is remembered; whether there is anything."""
        app = cast("Habits", self.app)
        what = app.remembered
        if what.folders:
            self.files.files.open_only(what.folders)
        if what.right in {"side", "thread"}:
            self.right = what.right
        if what.pane in PANES:
            self.call_after_refresh(self._show_again, what)
        if not what.open or app.root is None or not (app.root / what.open).is_file():
            return False
        self.artifact.look(what.open, line=what.line)
        return True

    def _show_again(self, what: Remembered) -> None:
        if "thread" in {what.pane, what.right} and not self.can_talk:
            self.call_after_refresh(self._show_again, what)
            return
        if what.thread:
            self.thread.open(what.thread)
        self.show_pane(what.pane)

    def remember(self, what: Remembered) -> None:
        """Note down what is open."""
        opened = self.artifact.opened
        what.open = opened.path if opened is not None else ""
        edit = self.artifact.edit
        what.line = (
            edit.top_row if edit is not None else self.artifact.code.top_line if opened is not None else 0
        )
        what.pane, what.right = self.shown_pane, self.right
        what.thread = (self.thread.thread or "") if self.can_talk else what.thread
        what.folders = sorted(self.files.files.open)[:MOST_FOLDERS] if self.files.scanned else what.folders
