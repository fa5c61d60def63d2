"""The part of the workspace that has variations made."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work
from textual.screen import Screen

from flowide.errors import FlowError
from flowide.tui.desk import AtDesk
from flowide.tui.panes.artifact import ArtifactPane

if TYPE_CHECKING:
    from flowide.flows.api import RunRequest


class Varies(AtDesk, Screen[None]):
    """Asks what is wanted, starts the run and shows its grid."""

    @property
    def artifact(self) -> ArtifactPane:
        """What is open."""
        return self.query_one(ArtifactPane)

    def open_set(self, set_id: str, number: int | None = None) -> None:
        """The variation grid, at a variation."""
        raise NotImplementedError

    def action_vary(self) -> None:
        """Ask what is wanted, then start a run."""
        from flowide.tui.screens.vary import VaryDialog

        opened, guide = self.artifact.opened, self.desk.guide
        path = opened.path if opened is not None and opened.text is not None else None
        if opened is None and guide is not None:
            path = guide.path  # it is being read still
        proposal = guide if guide is not None and path == guide.path and not self.snapshot.sets else None
        self.app.push_screen(VaryDialog(path, self.snapshot.seats, proposal), self._vary)

    def _vary(self, request: RunRequest | None) -> None:
        if request is not None:
            self._start_variations(request)

    @work(group="vary")
    async def _start_variations(self, request: RunRequest) -> None:
        """Start the run, and show its grid as soon as it has a set."""
        from flowide.tui.engine import running

        try:
            run = await self.ask_engine(lambda session: running.start(session, request))
        except FlowError as error:
            self.tell(error)
            return
        self.say("The agents are at work.", good=True)
        for _ in range(200):
            found = next((group for group in self.snapshot.sets if group.run == run), None)
            if found is not None:
                if self.app.screen is self:
                    self.open_set(found.id)
                return
            view = self.snapshot.run_of(run)
            if view is not None and view.run.status != "running":
                return
            await asyncio.sleep(0.05)
