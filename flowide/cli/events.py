"""`flowide events`: the log as JSON lines."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from flowide.cli.desk import Desk, Place, workspace_command

if TYPE_CHECKING:
    from flowide.domain.events import Event


@click.command(
    epilog="\b\nExamples:\n  flowide events --since 120 --follow\n"
    "  flowide events last | jq -c 'select(.type==\"usage\")'"
)
@click.argument("run", required=False)
@click.option(
    "--since", type=click.IntRange(0), default=0, metavar="SEQ", help="Only what comes after this seq."
)
@click.option("-f", "--follow", is_flag=True, help="Wait for more; of a run until it stops.")
@workspace_command
def events(run: str | None, since: int, follow: bool, at: Place) -> None:
    """Print the log of the space, one event a line as it is stored; or, of RUN, what `flowide run --json` prints.

    RUN is an id, the start of one, or `last`.
    """

    async def work(desk: Desk) -> None:
        if run is not None:
            await _of_run(desk, run, since, follow, at.project)
            return
        import msgspec

        async for event in desk.space.events(since, follow=follow):
            _print(json.dumps(msgspec.to_builtins(event), ensure_ascii=False))

    at.run(work)


async def _of_run(desk: Desk, ref: str, since: int, follow: bool, project: str | None) -> None:
    from flowide.headless import envelope
    from flowide.headless.scope import RunScope
    from flowide.headless.stream import resumed_line
    from flowide.space.queries import OneRun

    view = await desk.space.read(OneRun(ref))
    run = view.run
    scope = RunScope(run.id)

    def lines(event: Event) -> list[envelope.Line]:
        if event.type == "run.claimed":
            return [resumed_line(event, view)]
        if event.type == "run.finished":
            data = envelope.run_finished(event.data, flow=run.flow, run=run.id, project=project)
            return [envelope.end_line(event, data, run=run.id)]
        return list(envelope.lines_of(event, run.id))

    follow = follow and run.status in {"queued", "running"}
    async for event in desk.space.events(run.seq - 1, follow=follow):
        if not scope.belongs(event) or event.seq <= since:
            continue
        for each in lines(event):
            sys.stdout.buffer.write(envelope.encode(each))
        sys.stdout.buffer.flush()
        if follow and event.type == "run.finished":
            return


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
