"""Reading a thread: its newest messages, earlier ones in pages, and what is being written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from flowide.errors import FlowError
from flowide.tui.views.thread import Spot, Talk

if TYPE_CHECKING:
    from textual.timer import Timer

    from flowide.tui.engine.news import News
    from flowide.tui.panes.base import Pane
    from flowide.tui.widgets.thread_log import ThreadLog

NEWEST = 60
"""Messages that are read at first, and looked at again when something happens."""
EARLIER = 250
"""Messages of a page of earlier ones."""
AT_ONCE = 500
"""Messages of a long way back that are read and drawn before keys are looked at again."""
TICK_S = 0.3
"""Seconds between looks at what another process writes."""


class ThreadReader:
    """Keeps `talk` as new as the log; what was said once is read once."""

    def __init__(self, pane: Pane, log: ThreadLog, draw: Callable[[], None]) -> None:
        """Reads by workers of `pane`; `draw` is called when there is something new."""
        self._pane = pane
        self._log = log
        self._draw = draw
        self.thread: str | None = None
        """None = one that is about to be opened."""
        self.about: str | None = None
        """Path that a new thread is about."""
        self.talk: Talk | None = None
        self._tick: Timer | None = None
        self._wanted: int | None = None
        """Number of the message back to which earlier ones are wanted."""
        self._aim: str | None = None
        """Id of the message to go to as soon as it is there."""
        self._reading = self._behind = self._stale = False

    def turn_to(self, thread: str | None, about: str | None) -> None:
        """Another thread, of which nothing is known yet."""
        self.thread, self.about, self.talk = thread, about, None
        self._wanted, self._aim = None, None

    def on_news(self, news: News) -> None:
        """Something was committed or written."""
        if news.snapshot is not None or self.talk is None:
            self.reload()
        elif any(turn.state == "taken" for turn in self.talk.view.turns):
            self._read_soon()

    def reload(self) -> None:
        """Read the newest messages and what is being written."""
        self._stale = True
        self._read_soon()

    def read_earlier(self, number: int | None = None) -> None:
        """Another page of earlier messages, or all back to a number."""
        first = self.talk.first if self.talk is not None else 1
        if first > 1:
            self._wanted = max(1, first - EARLIER if number is None else number)
            self._read_soon()

    async def jump(self, message: str) -> None:
        """Go to a message, however long ago it was said."""
        from flowide.tui.engine import talking

        thread = self.thread
        if thread is None:
            return
        try:
            number = await self._pane.ask_engine(lambda session: talking.number_of(session, thread, message))
        except FlowError as error:
            self._pane.tell(error)
            return
        self._aim = message
        self.read_earlier(number)
        self._read_soon()

    def read_ahead(self) -> None:
        """Another page of earlier messages, unless some are on their way."""
        if self._wanted is None:
            self.read_earlier()

    def _read_soon(self) -> None:
        self._behind = True
        if not self._reading:
            self._reading = True
            self._pane.run_worker(self._read(), group="thread")

    async def _read(self) -> None:
        """One read after the other, however fast the news come."""
        try:
            while self._behind:
                self._behind = False
                await self._read_once()
        except FlowError as error:
            self._pane.tell(error)
        finally:
            self._reading = False

    async def _read_once(self) -> None:
        from flowide.tui.engine import talking

        thread, talk, wanted = self.thread, self.talk, self._wanted
        if thread is None:
            return
        if self._stale or talk is None:
            self._stale = False
            talk = await self._pane.ask_engine(lambda session: talking.look(session, thread, talk, NEWEST))
        else:
            known = talk
            live = await self._pane.ask_engine(lambda session: talking.live_texts(session, known.view.turns))
            talk = replace(known, live=live)
        if wanted is not None:
            newer, step = talk, max(wanted, talk.first - AT_ONCE)
            talk = await self._pane.ask_engine(lambda session: talking.look_back(session, newer, step))
        if thread != self.thread:
            return
        if self._wanted is not None and talk.first <= self._wanted:
            self._wanted = None
        self._behind = self._behind or self._wanted is not None
        self.talk = talk
        self._draw()
        self._reach_aim()
        self._watch(any(turn.state == "taken" for turn in talk.view.turns))

    def _reach_aim(self) -> None:
        spot = Spot("line", self._aim or "")
        if self._aim is not None and any(row.key == spot for row in self._log.rows):
            self._aim = None
            self._log.focus()
            self._log.show_from(spot)

    def _watch(self, on: bool) -> None:
        """Look again soon while somebody writes, wherever that is."""
        if on and self._tick is None:
            self._tick = self._pane.set_interval(TICK_S, self._read_soon)
        elif not on and self._tick is not None:
            self._tick.stop()
            self._tick = None
