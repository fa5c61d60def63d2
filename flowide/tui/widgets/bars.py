"""One-line bars: where am I, who holds the lock, what can I press."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip
from textual.widget import Widget

from flowide.tui.ink import ink_of
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
    """Keys that matter now."""

    def show_hints(self, hints: Sequence[tuple[str, str]], right: Sequence[Span] = ()) -> None:
        """Pairs of key and what it does; the last ones go first when there is no room."""
        spans: list[Span] = [(" ", "")]
        for key, label in hints:
            spans += [(key, "key"), (f" {label}   ", "quiet")]
        self.show(spans, right)
