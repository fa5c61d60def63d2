"""`flowide save`: a new version under a lock taken earlier."""

from __future__ import annotations

import click

from flowide.cli.common import files
from flowide.cli.desk import Desk, Place, read_stdin, workspace_command


@click.command(
    epilog="\b\nExample:\n  flowide lock acquire src/cache.py      # prints: fence 3 version 7\n"
    '  flowide save src/cache.py --fence 3 -m "faster" < new.py'
)
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@click.option("--fence", type=int, required=True, help="Of the lock, as `lock acquire` printed it.")
@click.option("--base", type=int, help="Version the text is made from; by default that of the lock.")
@click.option("-m", "--note", default="", help="What the version is about.")
@click.option("--keep", is_flag=True, help="Keep the lock; by default it is released.")
@workspace_command
def save(*, ref: str, fence: int, base: int | None, note: str, keep: bool, at: Place) -> None:
    """Save the text on stdin as the next version, write the file and release the lock.

    A text that is refused (exit 9) is kept as a draft, and where is said.
    """
    data = read_stdin()

    async def work(desk: Desk) -> None:
        import msgspec

        from flowide.cli.holding import keep_text
        from flowide.errors import Conflict, Fenced
        from flowide.space.queries import LiveDraft

        row = await desk.known(ref)
        live = await desk.space.read(LiveDraft(row.id))
        since = live.base if live is not None and live.fence == fence else row.version
        try:
            made = await desk.folder.save(
                desk.space,
                row,
                fence=fence,
                base=since if base is None else base,
                data=data,
                note=note,
                then="keep" if keep else "release",
            )
        except (Fenced, Conflict) as refused:
            kept = await keep_text(desk, row, fence, data)
            raise type(refused)(refused.message, hint=f"{kept} {refused.hint}", **refused.data) from refused
        after = f"fence {made.fence} kept" if keep else "lock released"
        desk.tell(
            f"{row.path}: version {made.version} saved, {after}",
            {"path": row.path} | msgspec.to_builtins(made),
        )

    at.run(work)
