"""Having variations made: what is wanted is asked, the run is started, and its grid is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from flowide.errors import FlowError

if TYPE_CHECKING:
    from flowide.flows.api import RunRequest
    from flowide.tui.panes.artifact import ArtifactPane
    from flowide.tui.screens.base import FlowScreen


def vary(screen: FlowScreen, pane: ArtifactPane, show_set: Callable[[str], None]) -> None:
    """Ask what is wanted and start the run; its set is shown as soon as it is there."""
    from flowide.tui.screens.vary import VaryDialog

    def start(request: RunRequest | None) -> None:
        if request is not None:
            screen.run_worker(_start(screen, request, show_set), group="vary")

    opened, guide = pane.opened, screen.desk.guide
    path = opened.path if opened is not None and opened.text is not None else None
    if opened is None and guide is not None:
        path = guide.path  # it is being read still
    proposal = guide if guide is not None and path == guide.path and not screen.snapshot.sets else None
    screen.app.push_screen(VaryDialog(path, screen.snapshot.seats, proposal), start)


async def _start(screen: FlowScreen, request: RunRequest, show_set: Callable[[str], None]) -> None:
    from flowide.tui.engine import running

    try:
        run = await screen.ask_engine(lambda session: running.start(session, request))
    except FlowError as error:
        screen.tell(error)
        return
    screen.say("The agents are at work.", good=True)
    for _ in range(200):
        found = next((group for group in screen.snapshot.sets if group.run == run), None)
        if found is not None:
            if screen.app.screen is screen:
                show_set(found.id)
            return
        view = screen.snapshot.run_of(run)
        if view is not None and view.run.status != "running":
            return
        await asyncio.sleep(0.05)
