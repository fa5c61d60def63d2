"""The part of the workspace that has texts reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.screen import Screen

from flowide.errors import FlowError
from flowide.tui.desk import AtDesk
from flowide.tui.panes.artifact import ArtifactPane

if TYPE_CHECKING:
    from flowide.flows.api import RunRequest


class Reviews(AtDesk, Screen[None]):
    """Asks how the open file is to be reviewed, starts the run and shows it."""

    @property
    def artifact(self) -> ArtifactPane:
        """What is open."""
        return self.query_one(ArtifactPane)

    def action_review(self) -> None:
        """Ask how, then start a run."""
        from flowide.tui.screens.review_form import ReviewForm

        opened = self.artifact.opened
        if self.artifact.edit is not None:
            self.say("Save (ctrl+s) or stop editing (esc) first.")
            return
        if opened is None or opened.artifact is None or opened.text is None:
            self.say("Open a file first: choose one and press enter.")
            return
        self.app.push_screen(ReviewForm(opened.path, empty=not opened.text.strip()), self._review)

    def _review(self, request: RunRequest | None) -> None:
        if request is not None:
            self._start_review(request)

    @work(group="review")
    async def _start_review(self, request: RunRequest) -> None:
        from flowide.tui.engine import running

        try:
            run = await self.ask_engine(lambda session: running.start(session, request))
        except FlowError as error:
            self.tell(error)
            return
        self.say("The review begins.", good=True)
        self.call_after_refresh(self.open_review, run)

    def open_review(self, ref: str) -> None:
        """A review, by its id or its run's."""
        from flowide.tui.screens.review import ReviewScreen

        self.app.push_screen(ReviewScreen(ref))
