"""`flowide reviews`: texts on their way through stages, and why they were sent back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowide.cli.desk import Desk, Place, print_json, workspace_command

if TYPE_CHECKING:
    from flowide.domain import rows
    from flowide.space.queries import ReviewView

_STATUS = click.Choice(["open", "approved", "rejected"])


@click.group(invoke_without_command=True, epilog="\b\nExample:\n  flowide reviews show last --diff")
@click.option("--status", type=_STATUS, help="Only these.")
@workspace_command
def reviews(status: str | None, at: Place) -> None:
    """Reviews. Without a command: list them. `flowide run review` starts one."""
    if click.get_current_context().invoked_subcommand is None:
        _list(status, at)


@reviews.command("list", epilog="\b\nExample:\n  flowide reviews list --status open --json")
@click.option("--status", type=_STATUS, help="Only these.")
@workspace_command
def list_(status: str | None, at: Place) -> None:
    """List reviews, newest first."""
    _list(status, at)


def _list(status: str | None, at: Place) -> None:
    async def work(desk: Desk) -> None:
        from flowide.space.queries import Reviews

        found = await desk.space.read(Reviews(status))
        desk.print_rows(
            ["REVIEW", "PATH", "STATUS", "STAGE", "ROUND", "VERSION", "BEGUN"],
            [
                [
                    each.id,
                    each.path,
                    each.status,
                    each.stage or None,
                    f"{each.round}/{each.rounds}",
                    each.version,
                    each.ts[:16].replace("T", " "),
                ]
                for each in found
            ],
            found,
            none="There are no reviews; `flowide run review` starts one.",
        )

    at.run(work)


@reviews.command(epilog="\b\nExample:\n  flowide reviews show last --diff")
@click.argument("ref", metavar="REVIEW", default="last")
@click.option("--diff", is_flag=True, help="Also what each hand-over changed.")
@workspace_command
def show(ref: str, diff: bool, at: Place) -> None:
    """Show what the stages handed on and said. REVIEW: id, start of it, or last."""

    async def work(desk: Desk) -> None:
        import msgspec

        from flowide.space.queries import OneReview

        view = await desk.space.read(OneReview(ref))
        diffs = {each.number: await _diff(desk, each) for each in view.handovers} if diff else {}
        if desk.json:
            told = msgspec.to_builtins(view)
            if diff:
                for each in told["handovers"]:
                    each["diff"] = diffs[each["number"]]
            print_json(told)
            return
        _print(view, diffs)

    at.run(work)


def _print(view: ReviewView, diffs: dict[int, str]) -> None:
    from flowide.text import one_line, printable

    review = view.review
    click.echo(
        one_line(f"{review.path}: {review.status}, round {review.round} of {review.rounds} ({review.id})")
    )
    entries = [
        *((each.seq, _handover(each, diffs.get(each.number, ""))) for each in view.handovers),
        *((each.seq, _verdict(each)) for each in view.verdicts),
    ]
    for _, entry in sorted(entries):
        click.echo(printable(entry))


def _verdict(verdict: rows.Verdict) -> str:
    from flowide.text import one_line

    back = f", back to {verdict.back_to}" if verdict.back_to else ""
    lines = [
        f"{verdict.round}. {verdict.stage}: @{verdict.actor} {verdict.verdict} version {verdict.version}{back}"
    ]
    for reason in verdict.reasons:
        where = f" [{reason['where']}]" if reason.get("where") else ""
        lines.append(
            f"   - {one_line('(' + reason.get('kind', 'other') + ') ' + reason['text'] + where, 1000)}"
        )
    return "\n".join(lines)


def _handover(handover: rows.Handover, diff: str) -> str:
    from flowide.text import one_line

    changed = f"version {handover.base} -> {handover.version}"
    if handover.base == handover.version:
        changed = f"version {handover.version}, unchanged"
    lines = [f"{handover.round}. {handover.stage}: @{handover.author} {changed}"]
    for each in handover.refused:
        why = one_line(each["why"] or "no reason given", 1000)
        lines.append(f"   refused change {each['hunk']}: {why}")
    return "\n".join([*lines, *([diff.rstrip("\n")] if diff else [])])


async def _diff(desk: Desk, handover: rows.Handover) -> str:
    from flowide.project.diffs import unified
    from flowide.space.queries import Content, FindArtifact

    row = await desk.space.read(FindArtifact(handover.artifact))
    before = await desk.space.read(Content(row.id, handover.base))
    after = await desk.space.read(Content(row.id, handover.version))
    return unified(before, after, f"{row.path}@{handover.base}", f"{row.path}@{handover.version}")


@reviews.command(epilog="\b\nExample:\n  flowide reviews reasons document")
@click.argument("kind", default="document")
@click.option("--limit", type=click.IntRange(1), default=12, show_default=True)
@workspace_command
def reasons(kind: str, limit: int, at: Place) -> None:
    """Why texts of KIND (document, code, component, data) were sent back: what the next drafter is told."""

    async def work(desk: Desk) -> None:
        from flowide.space.queries import Reasons

        found = await desk.space.read(Reasons(kind, limit))
        desk.print_rows(
            ["KIND", "REASON", "TIMES", "LAST"],
            [[each.kind, each.text, each.times, each.path] for each in found],
            found,
            none=f"No {kind} was sent back.",
        )

    at.run(work)
