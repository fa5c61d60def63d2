"""`flowide watch`: files that other programs change, in step at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowide.cli.desk import Desk, Place, workspace_command

if TYPE_CHECKING:
    from flowide.project.catching_up import Change


@click.command(epilog="\b\nExamples:\n  flowide watch\n  flowide watch --json | jq .path")
@click.option("--once", is_flag=True, help="Look through all files once, then end.")
@workspace_command
def watch(once: bool, at: Place) -> None:
    """Watch the folder: what editors and git change becomes a version by `disk`, or a conflict.

    One line for each artifact that changed, as JSON lines with --json; ctrl+c ends it. The app does this by
    itself, and every command looks at the files it works on.
    """

    async def work(desk: Desk) -> None:
        import json
        from contextlib import aclosing

        import msgspec

        from flowide.cli.desk import say, warn

        def tell(changes: list[Change]) -> None:
            for each in changes:
                if desk.json:
                    click.echo(json.dumps(msgspec.to_builtins(each), ensure_ascii=False))
                else:
                    desk.tell(_said(each), {})

        if once:
            tell(await desk.folder.catch_up(desk.space))
            return
        first = True
        async with aclosing(desk.folder.watch(desk.space)) as news:  # type: ignore[type-var]
            async for each in news:
                if first:
                    say(f"watching {desk.folder.root}")
                    if not each.watching:
                        warn("the system cannot watch so many folders: they are looked through every 2 s")
                first = False
                tell(each.changes)

    at.run(work)


def _said(change: Change) -> str:
    if change.what == "version":
        return f"{change.path}: version {change.version}, changed on disk"
    if change.what in {"written", "removed"}:
        return f"{change.path}: {change.what}, version {change.version} of another machine"
    if change.what == "conflict":
        return f"{change.message}: flowide conflicts show {change.conflict}"
    return change.message
