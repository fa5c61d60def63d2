"""`flowide worker`: drives the runs that were left to workers."""

from __future__ import annotations

from uuid import uuid4

import click

from flowide.cli.desk import QUIET, Desk, Place, say, workspace_command


@click.command(
    epilog="\b\nExamples:\n"
    "  flowide run writing --queue --brief 'How locks end' --set path=docs/locks.md; flowide worker\n"
    "  flowide worker --at-once 2 --json >> runs.jsonl\n"
    "  flowide worker --until-empty"
)
@click.option("--at-once", type=click.IntRange(1, 16), default=1, metavar="N", help="Runs driven at a time.")
@click.option("--until-empty", is_flag=True, help="End when no run is left that can be taken.")
@click.option("--runs", "most", type=click.IntRange(1), metavar="N", help="End after so many runs.")
@click.option("--trust", is_flag=True, help="Also run commands of runs that other people queued.")
@workspace_command
def worker(at: Place, at_once: int, until_empty: bool, most: int | None, trust: bool) -> None:
    """Take queued runs, oldest first, and drive each to its end or to its next question.

    Runs are queued with `flowide run … --queue`. Any number of workers can share them: each run is leased by one,
    and when that dies another takes over within seconds and makes no finished call again. A run that stopped at a
    question is taken up again once that is answered. A worker that is told to stop gives its runs back.

    On stdout is a line for each run that ended, with --json every event of the runs.
    """
    at.client = at.client or str(uuid4())

    async def work(desk: Desk) -> None:
        from flowide import settings
        from flowide.cli.around import surroundings
        from flowide.flows.worker import Terms
        from flowide.headless.worker import work as drive

        loaded = settings.load(desk.folder.root)
        terms = Terms(
            at_once=at_once,
            until_empty=until_empty,
            most=most,
            trust=trust or loaded.settings.trusts(desk.folder.root),
        )
        quiet = QUIET in click.get_current_context().meta
        if not (until_empty or most):
            say("waiting for runs; ctrl+c ends the worker and gives its runs back")
        ended = await drive(
            desk.space,
            desk.folder,
            surroundings(desk.folder.root, loaded=loaded),
            terms,
            as_json=at.json,
            quiet=quiet,
            project=at.project,
        )
        failed = [each.exit_code for each in ended if each.status in {"failed", "rejected"}]
        if failed:
            raise click.exceptions.Exit(failed[0])

    at.run(work)
