"""Others in a space of a hub are told what this person looks at."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import App

from flowide.errors import FlowError
from flowide.tui.screens.base import FlowScreen
from flowide.tui.views.snapshot import Looked

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.timer import Timer

    from flowide.tui.engine.thread import Engine

EVERY_S = 1.0
"""Seconds between looks whether it is something else; it is told no more often."""


def looked_at(screens: Sequence[Screen[object]]) -> Looked:
    """What the topmost screen that shows something in particular shows."""
    found = (screen.looks_at for screen in reversed(screens) if isinstance(screen, FlowScreen))
    return next((looked for looked in found if looked is not None), Looked())


class Whereabouts(App[int]):
    """The part of the app that tells it when it changed. Nothing of it is in the log."""

    engine: Engine
    _told = Looked()
    _watching: Timer | None = None

    def watch_whereabouts(self, on: bool) -> None:
        """Look now and then, as soon as it is known that others may be there."""
        if self._watching is None:
            self._watching = self.set_interval(EVERY_S, self._look, pause=not on)
        elif on:
            self._watching.resume()

    def _look(self) -> None:
        looked = looked_at(self.screen_stack)
        if looked != self._told:
            self._told = looked
            self.run_worker(self._tell(looked), group="whereabouts")

    async def _tell(self, looked: Looked) -> None:
        from flowide.tui.engine.session import tell_others

        with contextlib.suppress(FlowError):  # it is told when the hub is there again
            await self.engine.call(lambda session: tell_others(session, looked))
