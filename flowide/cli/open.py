"""`flowide [PATH]`: the terminal app."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flowide.tui.guide import Guide


@click.command()
@click.argument("path", required=False)
@click.option("--project", metavar="PATH", help="Folder of the project; by default the one around here.")
@click.option("--as", "handle", metavar="HANDLE", help="Who acts; by default the git or login user.")
@click.option(
    "--space", metavar="NAME", help="Space of a hub, by name or address; `local` = the project's own."
)
@click.option("--run", metavar="RUN|last", help="Show this run.")
def open_(
    path: str | None, project: str | None, handle: str | None, space: str | None, run: str | None
) -> None:
    """Open a project folder in the terminal app."""
    from flowide.cli.around import project_root
    from flowide.errors import BadInput

    root = project_root(path or project)
    if not root.is_dir():
        raise BadInput(f"{root} is no folder", hint="Name the folder of a project, or see flowide --help.")
    code = show_app(root.resolve(), handle, run=run, space=space)
    if code:
        raise click.exceptions.Exit(code)


def show_app(
    root: Path,
    handle: str | None,
    *,
    run: str | None = None,
    guide: Guide | None = None,
    space: str | None = None,
) -> int:
    """Show the app with the settings that hold for a project; the exit code."""
    from flowide import settings
    from flowide.cli.around import acting_in, hub_space, surroundings
    from flowide.tui.app import run_app

    loaded = settings.load(root)
    target = hub_space(space, loaded.settings)
    return run_app(
        root,
        acting_in(target, handle, root, loaded.settings),
        space=target,
        attach_run=run,
        surroundings=partial(surroundings, root, loaded=loaded),
        guide=guide,
        theme=loaded.settings.app.theme,
        notify=loaded.settings.app.notify,
        lock_ttl_s=loaded.settings.lock.ttl_s,
        verbose=bool(click.get_current_context().meta.get("flowide.verbose")),
    )
