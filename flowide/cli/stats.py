"""`flowide stats`: who held what for how long, and what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowide.cli.desk import Desk, Place, print_json, print_table, workspace_command

if TYPE_CHECKING:
    from flowide.space.queries import StatsView


@click.command(epilog="\b\nExamples:\n  flowide stats\n  flowide stats --since 2026-11-01T00:00:00Z --json")
@click.option("--since", default="", metavar="TIME", help="Only what was recorded at or after this time.")
@click.option("--holds", is_flag=True, help="Also who held each artifact for how long.")
@workspace_command
def stats(since: str, holds: bool, at: Place) -> None:
    """Locks, waits, saves, cost by agent and model, and how many variations were accepted."""

    async def work(desk: Desk) -> None:
        from flowide.space.queries import Stats

        found = await desk.space.read(Stats(since))
        if desk.json:
            print_json(found)
            return
        _print_actors(found)
        if found.models:
            click.echo()
            _print_models(found)
        if holds and found.holds:
            click.echo()
            print_table(
                ["PATH", "BY", "HOLDS", "HELD"],
                [[each.path, each.actor, each.holds, _time(each.held_ms)] for each in found.holds],
            )

    at.run(work)


def _print_actors(found: StatsView) -> None:
    print_table(
        [
            "WHO",
            "SAVES",
            "LOCKS",
            "HELD",
            "LONGEST",
            "LAPSES",
            "WAITS",
            "WAITED",
            "GAVE UP",
            "VARIATIONS",
            "ACCEPTED",
        ],
        [
            [
                f"{each.actor} (AI)" if each.kind == "agent" else each.actor,
                each.saves,
                each.locks,
                _time(each.held_ms),
                _time(each.longest_ms),
                each.lapses,
                each.waits,
                _time(each.waited_ms),
                each.gave_up,
                each.variations,
                _share(each.accepted, each.variations),
            ]
            for each in found.actors
        ],
    )


def _print_models(found: StatsView) -> None:
    print_table(
        ["AGENT", "MODEL", "CALLS", "TOKENS IN", "TOKENS OUT", "COST", "VARIATIONS", "ACCEPTED"],
        [
            [
                each.agent,
                each.model,
                each.calls,
                each.input_tokens,
                each.output_tokens,
                _cost(each.cost_micros, each.unpriced, each.calls),
                each.variations,
                _share(each.accepted, each.variations),
            ]
            for each in found.models
        ],
    )


def _time(ms: int) -> str:
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    if ms < 3_600_000:
        return f"{ms // 60_000} min {ms // 1000 % 60} s"
    return f"{ms // 3_600_000} h {ms // 60_000 % 60} min"


def _cost(micros: int, unpriced: int, calls: int) -> str:
    if unpriced == calls:
        return "unknown"
    return f"${micros / 1e6:.4f}" + (f" and {unpriced} unknown" if unpriced else "")


def _share(accepted: int, of: int) -> str | None:
    return f"{accepted} ({100 * accepted // of} %)" if of else None
