"""`flowide drafts`: texts that outlived their lock."""

from __future__ import annotations

import click

from flowide.cli.common import files
from flowide.cli.desk import Desk, Place, workspace_command


@click.command(epilog="\b\nExample:\n  flowide drafts --json")
@click.option("--artifact", "ref", metavar="PATH|ID", shell_complete=files, help="Only drafts of this one.")
@workspace_command
def drafts(ref: str | None, at: Place) -> None:
    """List drafts whose lock has ended, newest first; `flowide draft` shows, adopts or discards one."""

    async def work(desk: Desk) -> None:
        import msgspec

        from flowide.space.queries import Artifacts, Drafts

        artifact = None if ref is None else (await desk.known(ref)).id
        paths = {row.id: row.path for row in await desk.space.read(Artifacts(deleted=True))}
        found = await desk.space.read(Drafts(artifact))
        desk.print_rows(
            ["DRAFT", "PATH", "BY", "BASE", "BYTES", "SINCE", "WHY"],
            [
                [each.id, paths.get(each.artifact), each.actor, each.base, each.size, each.ts, each.why]
                for each in found
            ],
            [msgspec.to_builtins(each) | {"path": paths.get(each.artifact)} for each in found],
            none="No drafts are waiting.",
        )

    at.run(work)
