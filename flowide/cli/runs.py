"""`flowide runs`."""

from __future__ import annotations

import click

from flowide.cli.desk import Desk, Place, workspace_command


@click.command(epilog="\b\nExample:\n  flowide runs --json")
@click.option("-n", "--last", type=click.IntRange(1), metavar="N", help="Only the newest N.")
@workspace_command
def runs(last: int | None, at: Place) -> None:
    """List runs, newest first."""

    async def work(desk: Desk) -> None:
        from flowide.space.queries import Runs

        found = await desk.space.read(Runs(limit=last))
        desk.print_rows(
            ("RUN", "FLOW", "STATUS", "STARTED", "BY", "CALLS", "TOKENS", "BRIEF"),
            [
                (
                    run.id,
                    run.flow,
                    run.status,
                    run.started,
                    run.actor,
                    run.totals.get("calls"),
                    run.totals.get("input_tokens", 0) + run.totals.get("output_tokens", 0),
                    str(run.inputs.get("brief", ""))[:60],
                )
                for run in found
            ],
            [_described(run) for run in found],
            none="no runs yet; start one: flowide run variations",
        )

    at.run(work)


def _described(run: object) -> dict[str, object]:
    import msgspec

    data: dict[str, object] = msgspec.to_builtins(run)
    return {name: value for name, value in data.items() if name != "flow_text"}
