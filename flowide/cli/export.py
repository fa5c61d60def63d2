"""`flowide export`: a whole space as plain files."""

from __future__ import annotations

from pathlib import Path

import click

from flowide.cli.desk import Desk, Place, warn, workspace_command


@click.command(epilog="\b\nExample:\n  flowide export ../my-space && tar czf my-space.tgz ../my-space")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@workspace_command
def export(folder: Path, at: Place) -> None:
    """Write the space into a new folder: the log as JSON lines, every content, and the newest files."""

    async def work(desk: Desk) -> None:
        from flowide.space.local import LocalSpace
        from flowide.space.remote.space import RemoteSpace

        assert isinstance(desk.space, LocalSpace | RemoteSpace)
        moved = await desk.space.export_to(folder)
        for path in moved.skipped:
            warn(f"{path} is not among the files of the export, because another artifact is in its way")
        desk.tell(
            f"exported to {folder}: {moved.events} events, {moved.blobs} contents, {moved.artifacts} files",
            {"folder": str(folder), "events": moved.events, "blobs": moved.blobs, "artifacts": moved.artifacts,
             "skipped": moved.skipped},
        )  # fmt: skip

    at.run(work)
