"""`flowide decisions`: what holds, and what is put up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from flowide.cli.desk import Desk, Place, workspace_command

if TYPE_CHECKING:
    from flowide.domain import rows
    from flowide.domain.commands import Command

_STATUS = click.Choice(["open", "agreed", "superseded"])
_REASON = click.option("--reason", metavar="TEXT", default="", help="Why; kept with the decision.")


@click.group(
    invoke_without_command=True,
    epilog="\b\nExample:\n  flowide decisions propose 'Eviction looks at eight entries' --message 4",
)
@click.option("--status", type=_STATUS, help="Only these.")
@workspace_command
def decisions(status: str | None, at: Place) -> None:
    """Decisions: agreed and open ones are part of every prompt. Without a command: list them."""
    if click.get_current_context().invoked_subcommand is None:
        _list(status, at)


@decisions.command("list", epilog="\b\nExample:\n  flowide decisions list --status agreed --json")
@click.option("--status", type=_STATUS, help="Only these.")
@workspace_command
def list_(status: str | None, at: Place) -> None:
    """List decisions by number."""
    _list(status, at)


def _list(status: str | None, at: Place) -> None:
    async def work(desk: Desk) -> None:
        from flowide.space.queries import Decisions

        found = await desk.space.read(Decisions(status))
        desk.print_rows(
            ["NO", "STATUS", "DECISION", "BY", "AGREED BY", "CHANGED"],
            [
                [
                    f"D{each.number}",
                    each.status,
                    each.text,
                    f"@{each.actor}",
                    f"@{each.agreed_by}" if each.agreed_by else None,
                    each.changed[:16].replace("T", " "),
                ]
                for each in found
            ],
            found,
            none="Nothing was decided.",
        )

    at.run(work)


@decisions.command(
    epilog="\b\nExample:\n  flowide decisions propose 'Eight entries' --thread last --message 4"
)
@click.argument("text")
@click.option(
    "--thread", "ref", metavar="T", default="last", help="Where the message is; by default the last thread."
)
@click.option("--message", metavar="N|ID", help="The message it comes from.")
@workspace_command
def propose(text: str, ref: str, message: str | None, at: Place) -> None:
    """Put up TEXT. It goes into every prompt as open, until somebody agrees or ends it."""

    async def work(desk: Desk) -> None:
        from flowide.domain.commands import ProposeDecision
        from flowide.space.queries import FindThread, OneMessage

        source = None
        if message is not None:
            found = await desk.space.read(FindThread(ref))
            source = (await desk.space.read(OneMessage(message.removeprefix("#"), found.id))).id
        command = ProposeDecision(text=text, message=source)
        number = (await desk.space.execute(command)).ok.number
        told = {"decision": command.decision, "number": number, "status": "open", "text": text.strip()}
        desk.tell(f"D{number} is open: {text}", told)

    at.run(work)


@decisions.command(epilog="\b\nExample:\n  flowide decisions agree D3 --reason 'Measured.'")
@click.argument("ref", metavar="DECISION")
@_REASON
@workspace_command
def agree(ref: str, reason: str, at: Place) -> None:
    """Agree to DECISION (D3, 3, its id, or last): it holds from now on. People only."""
    from flowide.domain.commands import AgreeDecision

    _change(at, ref, lambda id: AgreeDecision(decision=id, reason=reason), "agreed")


@decisions.command(epilog="\b\nExample:\n  flowide decisions reopen D3 --reason 'A new trace'")
@click.argument("ref", metavar="DECISION")
@_REASON
@workspace_command
def reopen(ref: str, reason: str, at: Place) -> None:
    """Put an agreed or superseded decision up again. People only."""
    from flowide.domain.commands import ReopenDecision

    _change(at, ref, lambda id: ReopenDecision(decision=id, reason=reason), "open")


@decisions.command(epilog="\b\nExample:\n  flowide decisions supersede D3 --by D5")
@click.argument("ref", metavar="DECISION")
@click.option("--by", metavar="DECISION", help="What holds instead; by default nothing.")
@_REASON
@workspace_command
def supersede(ref: str, by: str | None, reason: str, at: Place) -> None:
    """End a decision. People only."""

    async def work(desk: Desk) -> None:
        from flowide.domain.commands import SupersedeDecision
        from flowide.space.queries import OneDecision

        row = await desk.space.read(OneDecision(ref))
        other: rows.Decision | None = None
        if by is not None:
            other = await desk.space.read(OneDecision(by))
        by_id = None if other is None else other.id
        await desk.space.execute(SupersedeDecision(decision=row.id, by=by_id, reason=reason))
        instead = "" if other is None else f" by D{other.number}"
        told = {"decision": row.id, "number": row.number, "status": "superseded", "superseded_by": by_id}
        desk.tell(f"D{row.number} is superseded{instead}: {row.text}", told)

    at.run(work)


def _change(at: Place, ref: str, command: Callable[[str], Command[Any]], status: str) -> None:
    async def work(desk: Desk) -> None:
        from flowide.space.queries import OneDecision

        row = await desk.space.read(OneDecision(ref))
        await desk.space.execute(command(row.id))
        told = {"decision": row.id, "number": row.number, "status": status, "text": row.text}
        desk.tell(f"D{row.number} is {status}: {row.text}", told)

    at.run(work)
