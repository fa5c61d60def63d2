"""Opening the terminal app."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flowide.domain.actors import Actor

if TYPE_CHECKING:
    from flowide.tui.engine.opening import Around
    from flowide.tui.engine.place import Opener
    from flowide.tui.guide import Guide
    from flowide.tui.notifying import Notify
    from flowide.tui.remembered import Remembered


def run_app(
    project: Path,
    actor: Actor,
    *,
    attach_run: str | None = None,
    surroundings: Around | None = None,
    guide: Guide | None = None,
    theme: str = "",
    lock_ttl_s: float = 30.0,
    notify: Notify = "on",
    verbose: bool = False,
    space: str | None = None,
) -> int:
    """Show the app until the person leaves; the exit code.

    `surroundings` gives what runs take from outside the project; it is asked after the first frame. `guide` is what
    a first-run guide proposes. An empty `theme` is one that suits the terminal. `lock_ttl_s` is how many seconds locks
    live without a renewal. `notify` is what is done when something waits while the person looks elsewhere.
    With `verbose` a mistake of the app's own is told with its traceback. `space` is the address of a hub's space;
    None = the project's own.

    Raises:
        BadInput: This is no terminal that can show it, or there is no such theme.
    """
    from flowide.tui import terminal

    terminal.check()
    terminal.give_size()
    gc.disable()  # until the first frame: importing makes objects that stay
    # Bytes of a key's escape sequence arrive together here; the default of 100 ms makes esc feel slow.
    os.environ.setdefault("ESCDELAY", "25")
    from flowide import settings
    from flowide.tui import remembered
    from flowide.tui.application import FlowApp
    from flowide.tui.theme import DEFAULT, use_folders

    user = settings.user_folder()
    use_folders(*(place for place in (project / ".flowide" / "themes", user / "themes") if place.is_dir()))
    known = remembered.load(project)
    # Wrong names and keys are told before the screen is taken.
    keys = _own_keys(user)
    suited = _theme(theme, known, terminal.theme_for(os.environ, theme or known.theme, DEFAULT))
    app = FlowApp(
        opener(project, actor, surroundings, lock_ttl_s, space),
        project=project.name,
        me=actor.id,
        theme=suited,
        attach=attach_run,
        guide=guide,
        ascii_signs=terminal.few_signs(os.environ),
        notify=notify,
        known=known,
        keys=keys,
    )
    app.user_folder, app.root, app.fixed_theme = user, project, theme
    app.run()
    if app.crashed is not None:
        # The engine is sound: it keeps what was stored of a draft, and gives locks back.
        app.engine.close_now()
        if verbose:
            raise app.crashed
        print(_mistake(app.crashed), file=sys.stderr)  # noqa: T201 - the terminal is ours again
        return 1
    return app.return_code or 0


def _own_keys(user: Path) -> dict[str, str]:
    """What the person's file of keys says; most have none, and it costs nothing then."""
    if not (user / "keys.toml").is_file():
        return {}
    from flowide.tui import keymap

    return keymap.load(user / keymap.FILE)


def _theme(wish: str, known: Remembered, suited: str) -> str:
    """The theme to start with; one that was chosen in the app and is gone since is forgotten."""
    from flowide.errors import BadInput
    from flowide.tui.theme import DEFAULT, load

    try:
        load(suited)
    except BadInput:
        if wish or suited != known.theme:
            raise
        known.theme = ""
        return DEFAULT
    return suited


def _mistake(error: Exception) -> str:
    from flowide.text import one_line

    return (
        f"FlowIDE ended because of a mistake of its own: {type(error).__name__}: {one_line(str(error), 300)}\n"
        "Locks are given back; text that was being written is kept as a draft. Please report it with what\n"
        "`flowide -v` prints when it happens again."
    )


def opener(
    project: Path, actor: Actor, around: Around | None = None, ttl_s: float = 30.0, space: str | None = None
) -> Opener:
    """Opens a project folder with its workspace, on the engine's loop."""
    from flowide.tui.engine.opening import open_project

    return lambda: open_project(project, actor, around, ttl_s=ttl_s, space=space)
