"""`flowide verify`: is the story still the one that was written?"""

from __future__ import annotations

import click

from flowide.cli.desk import Desk, Place, print_json, workspace_command


@click.command(epilog="\b\nExamples:\n  flowide verify && echo sound\n  flowide verify --rebuild")
@click.option("--rebuild", is_flag=True, help="Make all tables again from the log first, if that is sound.")
@workspace_command
def verify(rebuild: bool, at: Place) -> None:
    """Check the log's hash chain, every blob, and that the tables follow from the log.

    Exit 10 when something is wrong; the first bad seq is named. Tables that do not follow from a sound log are
    made again by --rebuild.
    """

    async def work(desk: Desk) -> None:
        from flowide.errors import StorageFailed, Unavailable
        from flowide.space.local import LocalSpace
        from flowide.space.queries import Verify

        if rebuild:
            if not isinstance(desk.space, LocalSpace):
                raise Unavailable(
                    "tables are rebuilt where the database is", hint="Run this on that machine."
                )
            if all(each.where != "log" for each in await desk.space.read(Verify())):
                await desk.space.rebuild()
        problems = await desk.space.read(Verify())
        head = await desk.space.head()
        bad = next((each.seq for each in problems if each.seq is not None), None)
        if desk.json:
            print_json({"ok": not problems, "head": head, "first_bad_seq": bad, "problems": problems})
        elif not problems:
            click.echo(f"sound: {head} events, their chain, blobs and tables")
        if problems:
            where = "" if bad is None else f" at seq {bad}"
            others = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
            raise StorageFailed(
                f"the workspace is damaged{where}: {problems[0].what}{others}",
                hint="Copy the workspace before anything else; `flowide verify --json` lists all of it.",
                seq=bad,
            )

    at.run(work)
