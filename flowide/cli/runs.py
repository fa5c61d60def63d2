"""`flowide runs`: what was run, and what its agents were told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowide.cli.desk import Desk, Place, print_json, say, workspace_command

if TYPE_CHECKING:
    from flowide.domain import rows

_LAST = click.option("-n", "--last", type=click.IntRange(1), metavar="N", help="Only the newest N.")
_RUN = click.argument("ref", metavar="RUN", default="last")


@click.group(invoke_without_command=True, epilog="\b\nExample:\n  flowide runs -n 5")
@_LAST
@workspace_command
def runs(last: int | None, at: Place) -> None:
    """Runs, newest first. Without a command: list them. A run is named by its id, the start of it, or `last`."""
    if click.get_current_context().invoked_subcommand is None:
        _list(last, at)


@runs.command("list", epilog="\b\nExample:\n  flowide runs list --json")
@_LAST
@workspace_command
def list_(last: int | None, at: Place) -> None:
    """List runs, newest first."""
    _list(last, at)


def _list(last: int | None, at: Place) -> None:
    async def work(desk: Desk) -> None:
        from flowide.space.queries import Runs

        found = await desk.space.read(Runs(limit=last))
        alone = [run.id for run in found if run.status == "running" and not await _is_driven(desk, run)]
        desk.print_rows(
            ("RUN", "FLOW", "STATUS", "STARTED", "BY", "CALLS", "TOKENS", "BRIEF"),
            [
                (
                    run.id,
                    run.flow,
                    "stopped" if run.id in alone else run.status,
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
        if alone:
            say(f"nobody drives what is stopped; go on with: flowide run --resume {alone[0]}")

    at.run(work)


async def _is_driven(desk: Desk, run: rows.Run) -> bool:
    from flowide.space.queries import OneRun

    return (await desk.space.read(OneRun(run.id))).alive


@runs.command(epilog="\b\nExample:\n  flowide runs show last")
@_RUN
@workspace_command
def show(ref: str, at: Place) -> None:
    """Show RUN: each of its steps and calls, with who made it and what it used."""

    async def work(desk: Desk) -> None:
        from flowide.space.queries import OneRun

        view = await desk.space.read(OneRun(ref))
        if desk.json:
            print_json(
                {**_described(view.run), "alive": view.alive, "steps": view.steps, "gates": view.gates}
            )
            return
        run = view.run
        driven = " (nobody drives it)" if run.status == "running" and not view.alive else ""
        desk.tell(
            f"run {run.id} of {run.flow}: {run.status}{driven}, begun {run.started} by @{run.actor}", {}
        )
        desk.print_rows(
            ("STEP", "KIND", "STATUS", "AGENT", "TOKENS", "ERROR"),
            [
                (
                    step.key,
                    step.kind,
                    step.status,
                    step.result.get("agent"),
                    _tokens(step),
                    (step.error or {}).get("message"),
                )
                for step in view.steps
            ],
            view.steps,
        )

    at.run(work)


@runs.command(
    epilog="\b\nExamples:\n  flowide runs cancel last\n  flowide runs cancel 019a4 --reason 'the brief was wrong'"
)
@_RUN
@click.option("--reason", metavar="TEXT", default="", help="Why; kept in the log.")
@workspace_command
def cancel(ref: str, reason: str, at: Place) -> None:
    """Stop RUN, also one that another process or a worker drives: its state is saved, and it can be resumed."""

    async def work(desk: Desk) -> None:
        from flowide.flows.cancelling import cancel

        run = await cancel(desk.space, ref, reason)
        ended = f"the run {run.id} is {run.status}"
        go_on = f"; go on with: flowide run --resume {run.id}" if run.status == "cancelled" else ""
        desk.tell(ended + go_on, {"run": run.id, "status": run.status})

    at.run(work)


@runs.command(epilog="\b\nExamples:\n  flowide runs manifest last vary#1\n  flowide runs manifest --json")
@_RUN
@click.argument("step", required=False)
@workspace_command
def manifest(ref: str, step: str | None, at: Place) -> None:
    """Show what an agent was told for a call of RUN: each item with version, tokens and reason, and what was left out.

    STEP is the key of the call, as `flowide runs show` lists it; by default the newest call.
    """

    async def work(desk: Desk) -> None:
        import msgspec

        from flowide.agents.context import decode
        from flowide.cli.manifests import print_items, summary
        from flowide.errors import NotFound
        from flowide.space.queries import OneRun

        view = await desk.space.read(OneRun(ref))
        calls = {each.key: each for each in view.steps if each.result.get("manifest")}
        if not calls:
            raise NotFound(
                f"no agent was asked in run {view.run.id[:13]}", hint="flowide runs show lists steps."
            )
        if step is not None and step not in calls:
            raise NotFound(f"run {view.run.id[:13]} has no call {step}", hint=f"Calls: {', '.join(calls)}.")
        call = calls[step] if step is not None else list(calls.values())[-1]
        found = decode(await desk.space.blob(call.result["manifest"]))
        if desk.json:
            print_json({"run": view.run.id, "step": call.key} | msgspec.to_builtins(found))
        else:
            click.echo(f"{call.key} by @{found.agent}: {summary(found)}")
            print_items(found)

    at.run(work)


def _tokens(step: rows.Step) -> int | None:
    usage = step.usage
    return usage.get("input_tokens", 0) + usage.get("output_tokens", 0) if usage else None


def _described(run: rows.Run) -> dict[str, object]:
    import msgspec

    data: dict[str, object] = msgspec.to_builtins(run)
    return {name: value for name, value in data.items() if name != "flow_text"}
