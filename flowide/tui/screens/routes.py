"""From what is listed, found or logged to the place where it is shown."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from flowide.errors import FlowError
from flowide.tui.views.spans import Span

if TYPE_CHECKING:
    from flowide.tui.panes.artifact import ArtifactPane
    from flowide.tui.screens.base import FlowScreen
    from flowide.tui.screens.talking import Talking
    from flowide.tui.views.found import Found
    from flowide.tui.views.runs import Item
    from flowide.tui.views.story import Place


class Routes:
    """Opens the screen, or turns to the pane of the workspace, that shows something."""

    def __init__(
        self, screen: FlowScreen, artifact: ArtifactPane, talking: Talking, show_pane: Callable[[str], None]
    ) -> None:
        """`show_pane` gives a pane of the screen the keys, by its id."""
        self._screen = screen
        self._artifact = artifact
        self._talking = talking
        self._show_pane = show_pane

    # --- by what it is ------------------------------------------------------------------------------

    def open_item(self, item: Item) -> None:
        """What a row of the work list stands for."""
        if item.kind == "set":
            self.open_set(item.ref)
        elif item.kind == "run":
            self._open_run(item.ref)
        elif item.kind == "gate":
            self.open_gate(item.ref)
        elif item.kind == "draft":
            from flowide.tui.screens.kept import offer_draft

            offer_draft(self._screen, self._artifact, item.ref)
        elif item.kind == "thread":
            self._talking.open(item.ref)
        elif item.kind == "review":
            self.open_review(item.ref)
        elif item.kind == "decision":
            self._talking.open_decision(item.ref)
        elif item.kind == "lock":
            self._show_pane("artifact")

    def open_found(self, found: Found | None) -> None:
        """What was found by a search; None = nothing was chosen."""
        if found is None:
            return
        if found.kind == "file":
            self.open_file(found.ref, found.line)
            return
        owner, _, number = found.ref.rpartition("@" if found.kind == "version" else "/")
        if found.kind == "variation":
            self.open_set(owner, int(number))
        elif found.kind == "message":
            self._start(self._open_message(owner, number))
        elif found.kind == "version":
            self.open_history(owner, int(number))
        else:
            self._start(self._open_decision(found.ref))

    def open_place(self, place: Place | None) -> None:
        """What an event of the log is about; None = none was chosen."""
        if place is None:
            return
        if place.kind == "variation":
            self.open_set(place.ref, place.number)
        elif place.kind == "thread":
            self._talking.open(place.ref)
        elif place.kind == "decision":
            self._start(self._open_decision(place.ref))
        elif place.kind == "run":
            self._open_run(place.ref)
        else:
            self.open_history(place.ref, place.number)

    # --- one kind of thing each ---------------------------------------------------------------------

    def open_file(self, path: str, line: int | None = None) -> None:
        """A file, from a line (from 0) on."""
        if self._artifact.edit is not None:
            self._artifact.open(path)
        else:
            self._artifact.look(path, focus=True, line=line)

    def open_history(self, artifact: str, version: int | None = None) -> None:
        """The versions of an artifact, at one of them."""
        from flowide.tui.screens.history import HistoryScreen

        self._screen.app.push_screen(HistoryScreen(artifact, version=version))

    def open_set(self, set_id: str, number: int | None = None) -> None:
        """The variation grid, at a variation."""
        from flowide.tui.screens.grid import GridScreen

        self._screen.app.push_screen(GridScreen(set_id, number=number))

    def open_review(self, ref: str) -> None:
        """A review, by its id or its run's."""
        from flowide.tui.screens.review import ReviewScreen

        self._screen.app.push_screen(ReviewScreen(ref))

    def open_gate(self, gate_id: str) -> None:
        """A question, where it is answered best."""
        from flowide.tui.screens.gate import open_gate

        gate = next((gate for gate in self._screen.snapshot.gates if gate.id == gate_id), None)
        if gate is not None:
            open_gate(self._screen, gate)

    def _open_run(self, run: str) -> None:
        from flowide.tui.screens.run import RunScreen

        self._screen.app.push_screen(RunScreen(run))

    def _start(self, reading: Coroutine[None, None, None]) -> None:
        """Go where something is shown that has to be read first; only the last of these counts."""
        self._screen.run_worker(reading, group="decision", exclusive=True)

    async def _open_message(self, thread: str, number: str) -> None:
        """The thread, at a message."""
        from flowide.space.queries import OneMessage

        try:
            message = await self._screen.ask_engine(
                lambda session: session.space.read(OneMessage(number, thread))
            )
        except FlowError as error:
            self._screen.tell(error)
        else:
            self._screen.desk.jump_to(thread, message.id)

    async def _open_decision(self, ref: str) -> None:
        """The thread a decision was made in; one that was made in none is shown itself."""
        from flowide.space.queries import OneDecision
        from flowide.tui.dialogs import Show
        from flowide.tui.views.grid_frame import wrapped

        try:
            decision = await self._screen.ask_engine(lambda session: session.space.read(OneDecision(ref)))
        except FlowError as error:
            self._screen.tell(error)
            return
        if decision.thread is not None:
            self._talking.open(decision.thread)
        else:
            lines: list[list[Span]] = [[(line, "")] for line in wrapped(decision.text, 66)]
            self._screen.app.push_screen(Show(f"D{decision.number} {decision.status}", lines))
