"""Frames at the pace of the terminal: the next one is drawn when it has taken the last one in.

Textual hands what it draws to a thread with a queue of 30, and waits when that is full: on a slow line every key would
wait behind old frames, and a terminal that stops reading would stop the loop. So after some bytes the terminal is asked
where its cursor is, which every terminal answers in order, and few bytes follow until it has answered. Small things,
such as a letter that is typed, go at once; large ones wait for the answer, and what only streams in leaves most of the
line to the keys.

This touches private names of Textual; `tests/tui` fails when they move.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual.app import App
from textual.screen import Screen

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.driver import Driver
    from textual.timer import Timer
    from textual.widget import Widget

ASK_AFTER = 1024
"""Bytes after which the terminal is asked again."""
WINDOW = 2048
"""Bytes that may follow a question before it is answered."""
LARGE = 480
"""Cells above which a widget that is drawn waits for the answer."""
RESTS = 2
"""How much longer the line is left to the keys than a large frame that nobody has asked for took of it."""
PATIENCE_S = 3.0
"""Seconds after which an answer is taken to be lost."""
MOST_QUEUED = 6
"""Writes that may wait for the terminal; above that nothing is drawn."""
LOOK_S = 0.1
"""Seconds between looks whether drawing can go on, besides the answers."""
END_LOOKS = 10
"""Looks, a fiftieth of a second apart, for a last answer."""
QUESTION = "\x1b[6n"
"""Device status report: where is the cursor?"""


class Pace:
    """When the next frame may go."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = 0
        """Bytes since the last question."""
        self._asked: float | None = None
        """When the question went out that has no answer yet."""
        self._heard = False
        self._least = float("inf")
        """Seconds an answer takes at least: the way there and back."""
        self._rest_until = 0.0
        """Until when nothing large is drawn that nobody has asked for."""
        self._deaf = False
        """The terminal has never answered: it is not asked any more."""

    def sent(self, size: int) -> None:
        """So many characters went to the terminal."""
        self._since += size

    def ask(self) -> bool:
        """Whether to ask now; it counts as asked."""
        if self._deaf or self._asked is not None or self._since < ASK_AFTER:
            return False
        self._asked, self._since = self._clock(), 0
        return True

    @property
    def waits(self) -> bool:
        """Whether an answer is on its way."""
        return self._asked is not None

    def end(self) -> None:
        """Ask no more."""
        self._deaf = True

    def answered(self) -> None:
        """The terminal has taken in all that was sent before the question."""
        now = self._clock()
        if self._asked is not None:
            took = now - self._asked
            self._least = min(took, self._least)
            self._rest_until = now + RESTS * (took - self._least)
        self._asked, self._heard = None, True

    @property
    def rest_s(self) -> float:
        """Seconds for which the line is left to the keys; 0 = it is not."""
        return max(0.0, self._rest_until - self._clock())

    def holds(self, queued: int, *, large: bool = False, unasked: bool = False) -> bool:
        """Whether to draw it not now; `queued` writes wait for the terminal, `unasked` is what streams in by itself."""
        if queued >= MOST_QUEUED:
            return True
        if self._asked is None:
            return large and unasked and self.rest_s > 0
        if self._clock() - self._asked > PATIENCE_S:
            self._asked = None
            self._deaf = not self._heard
            return False
        # A terminal that has not answered yet may never do so: the first screen does not wait for it.
        return self._heard and (large or self._since >= WINDOW)


def queued(driver: Driver | None) -> int:
    """Writes that wait for the terminal; 0 where that is not known."""
    writer: Any = getattr(driver, "_writer_thread", None)
    return 0 if writer is None else cast(int, writer._queue.qsize())


class PacedScreen(Screen[Any]):
    """Draws when the terminal is ready. What changes meanwhile is drawn together."""

    def _on_timer_update(self) -> None:
        app = self.app
        whole = self._layout_required or self._scroll_required or self._repaint_required
        large = {widget for widget in self._dirty_widgets if _cells(widget) > LARGE}
        unasked = not whole and self.focused not in large
        if not isinstance(app, PacedApp) or not app.holds_frames(large=whole or bool(large), unasked=unasked):
            super()._on_timer_update()
            return
        small = self._dirty_widgets - large
        if small and not whole and not app.holds_frames():
            self._dirty_widgets = small
            super()._on_timer_update()
            self._dirty_widgets = large
            return
        self._update_timer.pause()
        if self._callbacks:
            self.call_next(self._invoke_and_clear_callbacks)


def _cells(widget: Widget) -> int:
    """Cells of a widget that are to be drawn anew."""
    return sum(region.area for region in widget._repaint_regions)


class PacedApp(App[int]):
    """Asks the terminal now and then whether it keeps up, and holds frames back while it does not."""

    _held: Timer | None = None
    """Looks whether drawing can go on; None while nothing is held back."""

    def __init__(self) -> None:
        super().__init__()
        self.pace = Pace()

    def get_driver_class(self) -> type[Driver]:
        return paced_driver(super().get_driver_class())

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if self._driver is not None and not self.is_headless and not self._closed and self.pace.ask():
            self._driver.write(QUESTION)

    def holds_frames(self, *, large: bool = False, unasked: bool = False) -> bool:
        """Whether the terminal is not ready for a frame; drawing goes on by itself when it is."""
        if self.is_headless or not self.pace.holds(queued(self._driver), large=large, unasked=unasked):
            return False
        if self._held is None:
            self._held = self.set_interval(min(LOOK_S, self.pace.rest_s or LOOK_S), self._draw_on)
        return True

    def _draw_on(self) -> None:
        if self._held is None or self.pace.holds(queued(self._driver)):
            return
        self._held.stop()
        self._held = None
        for screen in self.screen_stack:
            screen._update_timer.resume()

    async def on_event(self, event: events.Event) -> None:
        """The terminal has taken in what it was sent before it was asked."""
        if isinstance(event, events.CursorPosition):
            self.pace.answered()
            self._draw_on()
        else:
            await super().on_event(event)

    async def end_pacing(self) -> None:
        """Before the terminal is given back: an answer that is on its way would be read by the shell."""
        self.pace.end()
        for _ in range(END_LOOKS):
            if not self.pace.waits:
                break
            await asyncio.sleep(LOOK_S / 5)


def paced_driver(driver: type[Driver]) -> type[Driver]:
    """The same driver, counting what it sends."""

    class Counting(driver):  # type: ignore[misc, valid-type] # which driver it is depends on the system
        def write(self, data: str) -> None:
            pace: Pace | None = getattr(self._app, "pace", None)
            if pace is not None:
                pace.sent(len(data))
            super().write(data)

    return Counting
