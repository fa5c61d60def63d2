"""Having the open file reviewed: how is asked, the run is started, and the review is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flowide.errors import FlowError

if TYPE_CHECKING:
    from flowide.flows.api import RunRequest
    from flowide.tui.panes.artifact import ArtifactPane
    from flowide.tui.screens.base import FlowScreen


def review(screen: FlowScreen, pane: ArtifactPane, show_review: Callable[[str], None]) -> None:
    """Ask how, then start the run and show it."""
    from flowide.tui.screens.review_form import ReviewForm

    def start(request: RunRequest | None) -> None:
        if request is not None:
            screen.run_worker(_start(screen, request, show_review), group="review")

    opened = pane.opened
    if pane.edit is not None:
        screen.say("Save (ctrl+s) or stop editing (esc) first.")
        return
    if opened is None or opened.artifact is None or opened.text is None:
        screen.say("Open a file first: choose one and press enter.")
        return
    screen.app.push_screen(ReviewForm(opened.path, empty=not opened.text.strip()), start)


async def _start(screen: FlowScreen, request: RunRequest, show_review: Callable[[str], None]) -> None:
    from flowide.tui.engine import running

    try:
        run = await screen.ask_engine(lambda session: running.start(session, request))
    except FlowError as error:
        screen.tell(error)
        return
    screen.say("The review begins.", good=True)
    screen.call_after_refresh(show_review, run)
