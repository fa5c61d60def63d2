"""`flowide import`: a space from its plain files."""

from __future__ import annotations

from pathlib import Path

import click

from flowide.cli.desk import Desk, Place, warn, workspace_command


@click.command("import", epilog="\b\nExample:\n  mkdir copy && cd copy && flowide import ../my-space")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--no-files", is_flag=True, help="Leave the project's folder as it is.")
@workspace_command
def import_(folder: Path, no_files: bool, at: Place) -> None:
    """Fill the empty space of a new project from an export; its newest files are written too.

    Everything in the export is checked: one bad line, and nothing is imported.
    """

    async def work(desk: Desk) -> None:
        from flowide.errors import FlowError
        from flowide.space.local import LocalSpace
        from flowide.space.queries import Artifacts
        from flowide.space.remote.space import RemoteSpace

        assert isinstance(desk.space, LocalSpace | RemoteSpace)
        moved = await desk.space.import_from(folder)
        written = 0
        for row in [] if no_files else await desk.space.read(Artifacts()):
            try:
                state = desk.folder.state(row)
                if state == "missing":
                    await desk.folder.write_out(desk.space, row)
                    written += 1
                elif state != "same":
                    warn(f"{row.path} was not written: something else is there already")
            except FlowError as error:
                warn(f"{row.path} was not written: {error.message}")
        desk.tell(
            f"imported {moved.events} events and {moved.blobs} contents; wrote {written} files",
            {"folder": str(folder), "events": moved.events, "blobs": moved.blobs, "artifacts": moved.artifacts,
             "written": written},
        )  # fmt: skip

    at.run(work)
