"""`flowide edit`: lock, edit in your editor, save, unlock."""

from __future__ import annotations

import click

from flowide.cli.common import files, seconds
from flowide.cli.desk import Desk, Place, say, workspace_command


@click.command(
    epilog='\b\nExamples:\n  flowide edit src/cache.py --purpose "faster eviction"\n'
    "  EDITOR='code --wait' flowide edit README.md"
)
@click.argument("ref", metavar="PATH|ID", shell_complete=files)
@click.option("--wait", type=seconds, default=0.0, metavar="S", help="Seconds to queue for the lock.")
@click.option("--purpose", default="edit", show_default=True, help="What for; others see it.")
@click.option("--fence", type=int, help="Go on under a lock taken earlier, with its draft if there is one.")
@click.option(
    "--base", type=int, help="With --fence: save over this version, whatever the draft is made from."
)
@click.option("-m", "--note", default="", help="What the version is about.")
@workspace_command
def edit(
    *, ref: str, wait: float, purpose: str, fence: int | None, base: int | None, note: str, at: Place
) -> None:
    """Edit an artifact under its lock in $VISUAL or $EDITOR.

    While the editor runs the lock is renewed, and what you have written so far is kept as a draft. Nothing is
    saved when nothing changed or the editor failed. A text whose lock was lost meanwhile is kept, and where is
    said.
    """

    async def work(desk: Desk) -> None:
        import signal

        import msgspec

        from flowide.cli.editing import Editing, editor_command
        from flowide.space.waiting import acquire

        command = editor_command()
        row = await desk.find(ref)
        held = fence
        if held is None:
            granted = await acquire(desk.space, row.id, timeout_s=wait, ttl_ms=desk.ttl_ms, purpose=purpose)
            held = granted.fence
            row = await desk.known(row.id)
        assert held is not None
        editing = Editing(desk, row, held, command, base=base)
        at.deaf_to.add(signal.SIGINT)  # ctrl+c in the terminal reaches the editor, which knows what it means
        made = await editing.run(note)
        if made is None:
            say(f"{row.path}: nothing changed, lock released")
            if desk.json:
                desk.tell(
                    "", {"artifact": row.id, "path": row.path, "version": row.version, "changed": False}
                )
            return
        desk.tell(
            f"{row.path}: version {made.version} saved, lock released",
            {"path": row.path, "changed": True} | msgspec.to_builtins(made),
        )

    at.run(work)
