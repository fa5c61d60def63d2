"""`flowide gate`: questions of runs, answered from anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowide.cli.desk import Desk, Place, workspace_command

if TYPE_CHECKING:
    from flowide.domain import rows


@click.group(epilog="\b\nExample:\n  flowide gate answer last '4 but with the _evict of 2'")
def gate() -> None:
    """Questions to people."""


@gate.command("list", epilog="\b\nExample:\n  flowide gate list --json")
@click.option("--all", "everything", is_flag=True, help="Also answered ones.")
@workspace_command
def list_(everything: bool, at: Place) -> None:
    """List the gates that wait for an answer."""

    async def work(desk: Desk) -> None:
        from flowide.space.queries import Gates

        found = await desk.space.read(Gates(status=None if everything else "open"))
        desk.print_rows(
            ("GATE", "RUN", "STATUS", "ASKED", "QUESTION", "ANSWERS", "ANSWER"),
            [
                (
                    each.id,
                    each.run,
                    each.status,
                    each.ts,
                    each.question,
                    ", ".join(each.options) or "free",
                    each.answer,
                )
                for each in found
            ],
            found,
            none="no gate waits for an answer",
        )

    at.run(work)


@gate.command(epilog="\b\nExample:\n  flowide gate show last")
@click.argument("gate_ref", metavar="GATE", default="last")
@workspace_command
def show(gate_ref: str, at: Place) -> None:
    """Show what GATE asks, what it is about (a diff, numbered changes, reasons), and what can be answered."""

    async def work(desk: Desk) -> None:
        from flowide.cli.desk import print_json
        from flowide.cli.gate_words import about, how
        from flowide.text import printable

        found = await _find(desk, gate_ref)
        if desk.json:
            print_json(found)
            return
        click.echo(printable(found.question))
        for line in about(found):
            click.echo(printable(f"  {line}"))
        done = f"{found.answer!r} by @{found.by}" if found.status == "answered" else f"answer {how(found)}"
        click.echo(printable(done))

    at.run(work)


@gate.command(epilog="\b\nExample:\n  flowide gate answer 0192f1 approve --reason 'reads well'")
@click.argument("gate_ref", metavar="GATE")
@click.argument("answer")
@click.option("--reason", metavar="TEXT", help="Why; kept with the answer.")
@workspace_command
def answer(gate_ref: str, answer: str, reason: str | None, at: Place) -> None:
    """Answer GATE: its id, the start of it, or `last` for the newest open one."""

    async def work(desk: Desk) -> None:
        from flowide.project.answering import answer as carry_out

        found = await _find(desk, gate_ref)
        await carry_out(desk.folder, desk.space, found, answer, reason)
        resume = f"; {await _next(desk, found.run)}" if found.run else ""
        desk.tell(
            f"answered {answer!r} to: {found.question}{resume}",
            {"gate": found.id, "run": found.run, "answer": answer, "reason": reason},
        )

    at.run(work)


async def _next(desk: Desk, run: str) -> str:
    """Who goes on with the run, now that its question is answered."""
    from flowide.space.queries import OneRun

    view = await desk.space.read(OneRun(run))
    if view.alive:
        return "its run goes on"
    return "a worker goes on with it" if view.run.queued else f"go on with: flowide run --resume {run}"


async def _find(desk: Desk, ref: str) -> rows.Gate:
    from flowide.errors import BadInput, NotFound
    from flowide.space.queries import Gates

    if ref == "last":
        waiting = await desk.space.read(Gates())
        if not waiting:
            raise NotFound("no gate waits for an answer", hint="flowide gate list --all shows answered ones.")
        return waiting[0]
    found = [each for each in await desk.space.read(Gates(status=None)) if ref and each.id.startswith(ref)]
    if not found:
        raise NotFound(f"there is no gate {ref[:100]!r}", hint="flowide gate list shows those that wait.")
    if len(found) > 1:
        raise BadInput(f"{len(found)} gates begin with {ref!r}", hint="Give more of the id.")
    return found[0]
