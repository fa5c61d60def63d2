"""Opening the terminal app."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flowide.domain.actors import Actor

if TYPE_CHECKING:
    from flowide.tui.engine.opening import Around
    from flowide.tui.engine.place import Opener


def run_app(
    project: Path, actor: Actor, *, attach_run: str | None = None, surroundings: Around | None = None
) -> int:
    """Show the app until the person leaves; the exit code.

    `surroundings` gives what runs take from outside the project; it is asked after the first frame.

    Raises:
        BadInput: This is no terminal that can show it.
    """
    from flowide.tui import terminal

    terminal.check()
    # Bytes of a key's escape sequence arrive together here; the default of 100 ms makes esc feel slow.
    os.environ.setdefault("ESCDELAY", "25")
    from flowide.tui.application import FlowApp
    from flowide.tui.theme import DEFAULT

    theme = terminal.theme_for(os.environ, os.environ.get("FLOWIDE_THEME"), DEFAULT)
    app = FlowApp(
        opener(project, actor, surroundings),
        project=project.name,
        me=actor.id,
        theme=theme,
        attach=attach_run,
    )
    app.run()
    return app.return_code or 0


def opener(project: Path, actor: Actor, around: Around | None = None) -> Opener:
    """Opens a project folder with its workspace, on the engine's loop."""
    from flowide.tui.engine.opening import open_project

    return lambda: open_project(project, actor, around)
