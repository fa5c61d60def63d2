"""`flowide run --manifest`: what the agents of a flow would be told first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowide.cli.desk import Desk, print_json, say
from flowide.cli.manifests import print_items, summary

if TYPE_CHECKING:
    from flowide.flows.api import RunRequest
    from flowide.flows.surroundings import Surroundings

_STOPS = {"needs_input", "role"}
"""Codes of what a run stops at by rule, and not by a mistake."""


async def show_calls(desk: Desk, request: RunRequest, around: Surroundings) -> None:
    """Print the calls that a run would begin with, each with its items.

    Raises:
        FlowError: What the run would fail with before any agent is asked.
    """
    from flowide.errors import from_dict
    from flowide.flows.rehearsal import rehearse
    from flowide.text import one_line

    found = await rehearse(desk.space, desk.folder, request, surroundings=around)
    if not found.calls and found.stops is not None and found.stops["code"] not in _STOPS:
        raise from_dict(found.stops)
    if desk.json:
        print_json(found)
        return
    for call in found.calls:
        click.echo(one_line(f"{call.step} by @{call.agent}: {summary(call.manifest)}"))
        print_items(call.manifest)
        click.echo()
    if found.stops is not None:
        say(f"the run stops there: {found.stops['message']}")
        if found.stops.get("hint"):
            say(found.stops["hint"])
    elif found.calls:
        say("what comes after these calls depends on their answers; nothing was sent")
    else:
        say("no agent is asked")
