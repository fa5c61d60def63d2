"""The base of every large view: one widget, drawn line by line from cached strips."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from flowide.tui.ink import Ink, ink_of

WHEEL = 3
"""Lines a turn of the wheel moves."""


class LineWidget(Widget, can_focus=True):
    """Draws fixed lines at the top, then its content from line `top` on, with an edge and a scroll mark."""

    DEFAULT_CSS = "LineWidget { height: 1fr; }"

    ground = "background"
    """Theme colour behind the lines."""
    edge = True
    """Whether the left column shows the focus bar or a hairline."""
    head_lines = 0
    """Lines at the top that do not scroll."""
    scroll_off = 3
    """Lines kept visible around the cursor."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.top = 0
        self._strips: dict[int, Strip] = {}
        self._drawn: dict[int, Strip] = {}
        """What stands in each row on the terminal."""
        self._comparing = False
        self._drawn_for: tuple[int, Ink] | None = None

    # --- to be given by subclasses ------------------------------------------------------------------
    # Textual's metaclass leaves no room for the one of abc, so that only mypy refuses a subclass without these.

    @abstractmethod
    def line_count(self) -> int:
        """Lines of content."""

    @abstractmethod
    def draw(self, index: int, width: int, ink: Ink) -> Strip:
        """One line of content, exactly `width` cells."""

    def draw_head(self, y: int, width: int, ink: Ink) -> Strip:
        """One fixed line; only views with `head_lines` are asked."""
        return Strip.blank(width)

    # --- drawing ------------------------------------------------------------------------------------

    @property
    def body_height(self) -> int:
        """Lines of content that are visible."""
        return max(1, self.size.height - self.head_lines)

    @property
    def body_width(self) -> int:
        """Cells for content: without the edge and the scroll mark."""
        return max(1, self.size.width - (1 if self.edge else 0) - 1)

    def render_line(self, y: int) -> Strip:
        strip = self._drawn[y] = self._row(y)
        return strip

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Paint again just the rows that look different, once for all that changed together."""
        if regions or layout or recompose or not repaint or not self.is_mounted or not self.size:
            return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        if not self._comparing:
            self._comparing = True
            self.call_next(self._refresh_changed)
        return self

    def _refresh_changed(self) -> None:
        self._comparing = False
        width, height = self.size
        changed = [Region(0, y, width, 1) for y in range(height) if self._drawn.get(y) != self._row(y)]
        if changed:
            super().refresh(*changed)

    def _row(self, y: int) -> Strip:
        ink, size = ink_of(self.app), self.size  # asked once: Textual works it out each time
        width = self.body_width
        if self._drawn_for != (width, ink):
            self._strips.clear()
            self._drawn_for = (width, ink)
        if y < self.head_lines:
            content = self.draw_head(y, width, ink)
            mark = Segment(" ", ink.style("", self.ground))
        else:
            index = self.top + y - self.head_lines
            content = self._content(index, width, ink)
            mark = self._scroll_mark(y - self.head_lines, max(1, size.height - self.head_lines), ink)
        segments = [*content, mark]
        if self.edge:
            segments.insert(0, self._edge(ink))
        return Strip(_joined(segments), size.width)

    def _content(self, index: int, width: int, ink: Ink) -> Strip:
        strip = self._strips.get(index)
        if strip is None:
            if 0 <= index < self.line_count():
                strip = self.draw(index, width, ink)
            else:
                strip = ink.strip([], width, self.ground)
            if len(self._strips) > 4000:
                self._strips.clear()
            self._strips[index] = strip
        return strip

    def _edge(self, ink: Ink) -> Segment:
        if self.has_focus:
            return Segment(ink.sign("▌"), ink.style("accent", self.ground))
        return Segment(ink.sign("│"), ink.style("hairline", self.ground))

    def _scroll_mark(self, y: int, height: int, ink: Ink) -> Segment:
        total = self.line_count()
        if total > height:
            size = max(1, height * height // total)
            start = round(self.top * (height - size) / max(1, total - height))
            if start <= y < start + size:
                return Segment(ink.sign("▐"), ink.style("hairline", self.ground))
        return Segment(" ", ink.style("", self.ground))

    # --- changes ------------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Everything may have changed."""
        self._strips.clear()
        self.top = max(0, min(self.top, self.line_count() - self.body_height))
        self.refresh()

    def redraw_lines(self, *indices: int) -> None:
        """Just these lines of content changed."""
        for index in indices:
            self._strips.pop(index, None)
            y = index - self.top + self.head_lines
            if self.head_lines <= y < self.size.height:
                self.refresh(Region(0, y, self.size.width, 1))

    def redraw_head(self) -> None:
        """The fixed lines changed."""
        if self.head_lines:
            self.refresh(Region(0, 0, self.size.width, self.head_lines))

    def scroll_lines(self, by: int) -> None:
        """Move the content without moving the cursor."""
        top = max(0, min(self.top + by, self.line_count() - self.body_height))
        if top != self.top:
            self.top = top
            self.refresh()

    def show_line(self, index: int) -> None:
        """Scroll as little as needed for a line to be visible with some lines around it."""
        off = min(self.scroll_off, (self.body_height - 1) // 2)
        top = self.top
        if index < top + off:
            top = index - off
        elif index >= top + self.body_height - off:
            top = index - self.body_height + off + 1
        top = max(0, min(top, self.line_count() - self.body_height))
        if top != self.top:
            self.top = top
            self.refresh()

    def line_at(self, y: int) -> int | None:
        """Index of the content line at a widget row; None for the head and below the end."""
        index = self.top + y - self.head_lines
        return index if y >= self.head_lines and 0 <= index < self.line_count() else None

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Wheel."""
        event.stop()
        self.scroll_lines(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Wheel."""
        event.stop()
        self.scroll_lines(-WHEEL)

    def on_resize(self) -> None:
        """Keep the content in the window."""
        self.redraw()

    def on_focus(self) -> None:
        """The edge shows it."""
        self.redraw()

    def on_blur(self) -> None:
        """The edge shows it."""
        self.redraw()


def _joined(segments: list[Segment]) -> list[Segment]:
    """Neighbours of one style as one: each costs some forty bytes on the way to the terminal."""
    found: list[Segment] = []
    for segment in segments:
        if found and found[-1].style is segment.style:
            found[-1] = Segment(found[-1].text + segment.text, segment.style)
        else:
            found.append(segment)
    return found
