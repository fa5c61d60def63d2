"""One-line bars: where am I, who holds the lock, what can I press."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.strip import Strip
from textual.widget import Widget

from flowide.tui.ink import ink_of
from flowide.tui.views.hints import Hint, hint_spans
from flowide.tui.views.spans import Span


class Bar(Widget):
    """A line with text at both ends."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"

    ground = "panel"

    def __init__(self, *, id: str | None = None, ground: str = "panel") -> None:
        super().__init__(id=id)
        self.ground = ground
        self._left: tuple[Span, ...] = ()
        self._right: tuple[Span, ...] = ()

    def show(self, left: Sequence[Span], right: Sequence[Span] = ()) -> None:
        """What the bar says from now on; drawn only when it changed."""
        new = (tuple(left), tuple(right))
        if new != (self._left, self._right):
            self._left, self._right = new
            self.refresh()

    def render_line(self, y: int) -> Strip:
        ink = ink_of(self.app)
        return ink.spread(self._left, self._right, self.size.width, self.ground)

    @property
    def words(self) -> str:
        """What it says, as plain text."""
        return "".join(text for text, _ in (*self._left, *self._right))


class HintBar(Bar):
    """Keys that matter now. A click presses the key."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._hints: tuple[Hint, ...] = ()
        self._tail: tuple[Hint, ...] = ()
        self._places: list[tuple[int, int, str]] = []

    def show_hints(self, hints: Sequence[Hint], tail: Sequence[Hint] = ()) -> None:
        """What can be pressed, most important first; what does not fit is left out. The tail always has room."""
        new = (tuple(hints), tuple(tail))
        if new != (self._hints, self._tail):
            self._hints, self._tail = new
            self.refresh()

    def render_line(self, y: int) -> Strip:
        ink = ink_of(self.app)
        spans, self._places = hint_spans(self._hints, self._tail, self.size.width)
        return ink.strip(spans, self.size.width, self.ground)

    def on_click(self, event: events.Click) -> None:
        """As if the key were pressed."""
        for start, end, key in self._places:
            if start <= event.x < end:
                event.stop()
                self.app.simulate_key(key)

    @property
    def words(self) -> str:
        """What it says, as plain text."""
        return "   ".join(f"{hint.shown} {hint.word}" for hint in (*self._hints, *self._tail))
