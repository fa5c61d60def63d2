"""`flowide [PATH]`: the terminal app."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click


@click.command()
@click.argument("path", required=False)
@click.option("--project", metavar="PATH", help="Folder of the project; by default the one around here.")
@click.option("--as", "handle", metavar="HANDLE", help="Who acts; by default the git or login user.")
@click.option("--run", metavar="RUN|last", help="Show this run.")
def open_(path: str | None, project: str | None, handle: str | None, run: str | None) -> None:
    """Open a project folder in the terminal app."""
    from flowide.cli.around import acting, project_root, surroundings
    from flowide.errors import BadInput
    from flowide.project.folder import ProjectFolder
    from flowide.tui.app import run_app

    root = project_root(path or project)
    if not root.is_dir():
        raise BadInput(f"{root} is no folder", hint="Name the folder of a project, or see flowide --help.")
    folder = ProjectFolder.open(root)
    code = run_app(
        Path(folder.root),
        acting(handle, folder.root),
        attach_run=run,
        surroundings=partial(surroundings, folder.root),
    )
    if code:
        raise click.exceptions.Exit(code)
