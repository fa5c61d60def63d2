"""The workspace as it was left: what is open is noted down, and opened again the next time."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flowide.tui.remembered import MOST_FOLDERS, Remembered
from flowide.tui.views.tabs import PANES

if TYPE_CHECKING:
    from flowide.tui.habits import Habits
    from flowide.tui.screens.workspace import Workspace


def come_back(workspace: Workspace) -> bool:
    """Open what is remembered; whether there is anything."""
    app = cast("Habits", workspace.app)
    what = app.remembered
    if what.folders:
        workspace.files.files.open_only(what.folders)
    if what.right in {"side", "thread"}:
        workspace.right = what.right
    if what.pane in PANES:
        workspace.call_after_refresh(_show_again, workspace, what)
    if not what.open or app.root is None or not (app.root / what.open).is_file():
        return False
    workspace.artifact.look(what.open, line=what.line)
    return True


def _show_again(workspace: Workspace, what: Remembered) -> None:
    if "thread" in {what.pane, what.right} and not workspace.can_talk:
        workspace.call_after_refresh(_show_again, workspace, what)
        return
    if what.thread:
        workspace.thread.open(what.thread)
    workspace.show_pane(what.pane)


def remember(workspace: Workspace, what: Remembered) -> None:
    """Note down what is open."""
    artifact, files = workspace.artifact, workspace.files
    opened, edit = artifact.opened, artifact.edit
    what.open = opened.path if opened is not None else ""
    what.line = edit.top_row if edit is not None else artifact.code.top_line if opened is not None else 0
    what.pane, what.right = workspace.shown_pane, workspace.right
    what.thread = (workspace.thread.thread or "") if workspace.can_talk else what.thread
    what.folders = sorted(files.files.open)[:MOST_FOLDERS] if files.scanned else what.folders
