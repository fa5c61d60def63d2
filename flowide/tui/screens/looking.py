"""The part of the workspace that leads to what is past: search, history, log, stats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.screen import Screen

from flowide.errors import FlowError
from flowide.tui.desk import AtDesk
from flowide.tui.panes.artifact import ArtifactPane
from flowide.tui.views.spans import Span

if TYPE_CHECKING:
    from flowide.tui.views.found import Found
    from flowide.tui.views.story import Place


class Looks(AtDesk, Screen[None]):
    """Opens these screens, and goes where they lead."""

    @property
    def artifact(self) -> ArtifactPane:
        """What is open."""
        return self.query_one(ArtifactPane)

    def open_set(self, set_id: str, number: int | None = None) -> None:
        """The variation grid, at a variation."""
        raise NotImplementedError

    def open_thread(self, thread: str) -> None:
        """Show a thread."""
        raise NotImplementedError

    def open_at(self, path: str, line: int | None = None) -> None:
        """Show a file, from a line (from 0) on."""
        raise NotImplementedError

    def action_search(self) -> None:
        """Search all texts."""
        from flowide.tui.screens.search import SearchScreen

        search = SearchScreen()
        self.app.push_screen(search, lambda _: self._open_found(search.chosen))

    def _open_found(self, found: Found | None) -> None:
        if found is None:
            return
        if found.kind == "file":
            self.open_at(found.ref, found.line)
            return
        owner, _, number = found.ref.rpartition("@" if found.kind == "version" else "/")
        if found.kind == "variation":
            self.open_set(owner, int(number))
        elif found.kind == "message":
            self._open_message(owner, number)
        elif found.kind == "version":
            from flowide.tui.screens.history import HistoryScreen

            self.app.push_screen(HistoryScreen(owner, version=int(number)))
        else:
            self._open_decision(found.ref)

    @work(group="decision", exclusive=True)
    async def _open_message(self, thread: str, number: str) -> None:
        """The thread, at a message."""
        from flowide.space.queries import OneMessage

        try:
            message = await self.ask_engine(lambda session: session.space.read(OneMessage(number, thread)))
        except FlowError as error:
            self.tell(error)
        else:
            self.desk.jump_to(thread, message.id)

    @work(group="decision", exclusive=True)
    async def _open_decision(self, ref: str) -> None:
        """The thread a decision was made in; one that was made in none is shown itself."""
        from flowide.space.queries import OneDecision
        from flowide.tui.dialogs import Show
        from flowide.tui.views.grid_frame import wrapped

        try:
            decision = await self.ask_engine(lambda session: session.space.read(OneDecision(ref)))
        except FlowError as error:
            self.tell(error)
            return
        if decision.thread is not None:
            self.open_thread(decision.thread)
        else:
            lines: list[list[Span]] = [[(line, "")] for line in wrapped(decision.text, 66)]
            self.app.push_screen(Show(f"D{decision.number} {decision.status}", lines))

    def action_history(self) -> None:
        """The versions of the open file."""
        from flowide.tui.screens.history import HistoryScreen

        opened = self.artifact.opened
        if opened is None or opened.artifact is None:
            self.say("Open a file first: choose one and press enter.")
        else:
            self.app.push_screen(HistoryScreen(opened.artifact.id))

    def action_stats(self) -> None:
        """How the space is used."""
        from flowide.tui.screens.stats import StatsScreen

        self.app.push_screen(StatsScreen())

    def action_log(self) -> None:
        """Who did what."""
        from flowide.tui.screens.log import LogScreen

        log = LogScreen()
        self.app.push_screen(log, lambda _: self._go_to(log.chosen))

    def _go_to(self, place: Place | None) -> None:
        """What an event of the log is about."""
        if place is None:
            return
        if place.kind == "variation":
            self.open_set(place.ref, place.number)
        elif place.kind == "thread":
            self.open_thread(place.ref)
        elif place.kind == "decision":
            self._open_decision(place.ref)
        elif place.kind == "run":
            from flowide.tui.screens.run import RunScreen

            self.app.push_screen(RunScreen(place.ref))
        else:
            from flowide.tui.screens.history import HistoryScreen

            self.app.push_screen(HistoryScreen(place.ref, version=place.number))
