"""The way to threads: one is begun, chosen, or opened where something was said."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flowide.tui.views.spans import clean

if TYPE_CHECKING:
    from flowide.tui.panes.thread import ThreadPane
    from flowide.tui.screens.base import FlowScreen


class Talking:
    """Has the pane of threads, and shows a thread in it."""

    def __init__(self, screen: FlowScreen, show_pane: Callable[[str], None]) -> None:
        """`show_pane` gives a pane of the screen the keys, by its id."""
        self._screen = screen
        self._show_pane = show_pane
        self.pane: ThreadPane | None = None
        """None until it is brought: it comes after the first frame, which it would hold up."""

    async def bring_pane(self) -> None:
        """Make the pane of threads, and put it beside the others."""
        from flowide.tui.panes.thread import ThreadPane

        pane = ThreadPane(id="thread")
        await self._screen.query_one("#panes").mount(pane)
        self.pane = pane

    def begin(self, about: str | None) -> None:
        """A new thread, about a path or about nothing in particular."""
        if self.pane is None:
            self._screen.call_after_refresh(self.begin, about)
            return
        self.pane.open(None, about)
        self._show_pane("thread")

    def open(self, thread: str, message: str | None = None) -> None:
        """Show a thread, at a message."""
        if self.pane is None:
            self._screen.call_after_refresh(self.open, thread, message)
            return
        self.pane.open(thread)
        self._show_pane("thread")
        if message is not None:
            self.pane.jump(message)

    def open_decision(self, decision: str) -> None:
        """Show a decision where it was proposed."""
        found = next((each for each in self._screen.snapshot.decisions if each.id == decision), None)
        if found is None or found.thread is None:
            self._screen.say("It belongs to no thread; `flowide decisions` lists it.")
            return
        self.open(found.thread, found.message)

    def choose(self) -> None:
        """Choose one by its title."""
        from flowide.tui.screens.picker import Entry, Picker

        state = self._screen.snapshot
        if not state.threads:
            self._screen.say("There are no threads yet. Press t to begin one.")
            return
        paths = {each.id: each.path for each in state.artifacts}
        entries = [
            Entry(each.id, clean(each.title), clean(paths.get(each.about or "", "")), str(each.count))
            for each in state.threads
        ]
        self._screen.app.push_screen(Picker("Threads", entries), self._chosen)

    def _chosen(self, thread: str | None) -> None:
        if thread is not None:
            self.open(thread)
