"""Stops a run, whoever drives it."""

from __future__ import annotations

import asyncio

from flowide.domain.commands import CancelRun
from flowide.domain.rows import Run
from flowide.errors import Busy
from flowide.space.api import Space
from flowide.space.queries import OneRun

PATIENCE_S = 15.0
"""Seconds in which a driver ends its run, or its lease is over and the run can be ended without it."""
_LOOK_S = 0.1


async def cancel(space: Space, ref: str, reason: str = "", *, patience_s: float = PATIENCE_S) -> Run:
    """Stop a run and give it as it is then; its driver saves its state first.

    Raises:
        NotFound: No such run.
        Gone: It has ended.
        Busy: Its driver has not ended it in time; it was asked, and still may.
    """
    view = await space.read(OneRun(ref))
    run = view.run.id
    ended = (await space.execute(CancelRun(run=run, reason=reason))).ok.ended
    until = asyncio.get_running_loop().time() + patience_s
    while not ended:
        view = await space.read(OneRun(run))
        if view.run.status != "running":
            return view.run
        if not view.alive:  # its driver is gone
            ended = (await space.execute(CancelRun(run=run, reason=reason))).ok.ended
        elif asyncio.get_running_loop().time() > until:
            raise Busy(
                f"{view.run.actor} drives the run {run} and has not ended it within {patience_s:g} s",
                hint="It was asked to: wait, or end that process.",
                holder=view.run.actor,
            )
        else:
            await asyncio.sleep(_LOOK_S)
    return (await space.read(OneRun(run))).run
