"""The editor: Textual's text area with its own document, colours and painting, so that a key stays cheap.

A key costs one incremental parse, a query over the lines in view, and the lines that look different afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple, Self

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.document._document_navigator import DocumentNavigator
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from flowide.tui.highlight import Highlighter, Runs, language_of
from flowide.tui.ink import Ink, ink_of
from flowide.tui.views.artifact import Position, is_prose
from flowide.tui.views.spans import visible
from flowide.tui.widgets.document import ExactDocument, QuickWrapped

MOST_MATCHED = 2_000
"""Lines up to which the partner of a bracket is searched."""
MOST_PAINTED = 1_000
"""Lines of which the painted form is kept."""


class Look(NamedTuple):
    """All that decides how a row looks."""

    width: int
    marked: bool
    """The scroll mark is beside it."""
    focus: bool
    ink: int
    text: str | None = None
    """The whole line; None below the end of the text."""
    line: int = 0
    first: int = 0
    last: int = 0
    """The characters of the line that this row shows."""
    number: str = ""
    runs: Runs = ()
    selected: tuple[int, int] | None = None
    cursor: int | None = None
    """Column of the cursor when it is drawn in this row."""
    bracket: int | None = None
    here: bool = False
    """The cursor is in the line."""
    gutter: int = 0
    x: int = 0


class Editor(TextArea):
    """One artifact's text while its lock is ours."""

    DEFAULT_CSS = """
    Editor { height: 1fr; border: none; padding: 0; scrollbar-size: 0 0; background: $background; }
    Editor:focus { border: none; }
    """

    def __init__(self, text: str, path: str, *, draft: str | None = None, id: str | None = None) -> None:
        """`draft` is what was written and not saved before; None = start from the text."""
        self._language_of_text = language_of(path)
        self._colours = Highlighter([], None)
        self._painted: dict[Look, Strip] = {}
        self._shown: dict[int, Look] = {}
        """How each visible row looks on the terminal."""
        self._comparing = False
        super().__init__(
            text if draft is None else draft,
            soft_wrap=is_prose(path),
            show_line_numbers=True,
            tab_behavior="indent",
            id=id,
        )
        self.cursor_blink = False
        self.indent_type, self.indent_width = indent_of(text)
        self.match_cursor_bracket = self.document.line_count <= MOST_MATCHED
        self._start = text
        self._seen_change = draft is not None

    # --- what is edited -----------------------------------------------------------------------------

    @property
    def touched(self) -> bool:
        """Whether there is anything to save."""
        return self._seen_change and self.text != self._start

    @property
    def content(self) -> str:
        """The text as it is to be saved."""
        return self.text

    @property
    def top_line(self) -> int:
        """The first line in view, from 0."""
        rows = self.wrapped_document._offset_to_line_info
        return rows[min(self.scroll_offset.y, len(rows) - 1)][0] if rows else 0

    @property
    def position(self) -> Position:
        """Where the cursor is; an empty line at the end is no line of the text, unless the cursor is there."""
        row, column = self.selection.end
        count = self.document.line_count
        ended = count > 1 and row < count - 1 and not self.document[count - 1]
        return Position(row + 1, column + 1, count - ended)

    def go_to(self, line: int) -> None:
        """Put the cursor on a line, from 0, with that line at the top."""
        line = max(0, min(line, self.document.line_count - 1))
        self.move_cursor((line, 0))
        self.call_after_refresh(self.scroll_to, y=line, animate=False)

    def on_text_area_changed(self) -> None:
        """Something was typed."""
        self._seen_change = True

    # Textual calls the handlers of the base classes, too, unless they are told not to.

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.prevent_default()  # the pane decides what leaving means
        elif event.key == "enter" and not self.read_only:
            event.stop()
            event.prevent_default()
            row, column = self.selection.start
            line = self.document[row][:column]
            indent = line[: len(line) - len(line.lstrip(" \t"))]
            self._replace_via_keyboard("\n" + indent, *self.selection)

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = event.text.replace("\r\n", "\n").replace("\r", "\n")

    # --- Textual's document and colours replaced ----------------------------------------------------

    def _set_document(self, text: str, language: str | None) -> None:
        self.document = ExactDocument(text)
        self.wrapped_document = QuickWrapped(self.document, tab_width=self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self._build_highlight_map()
        self.move_cursor((0, 0))
        self._rewrap_and_refresh_virtual_size()

    def _build_highlight_map(self) -> None:
        """Called after each edit."""
        self._colours = self._colours.after_edit(self.document.lines, self._language_of_text)

    def _refresh_size(self) -> None:
        if self.soft_wrap:
            size = Size(0, self.wrapped_document.height)
        else:
            width, height = self.document.get_size(self.indent_width)
            size = Size(width + self.gutter_width + 1, height)
        if size != self.virtual_size:
            # There are no scroll bars, so another size moves nothing on the screen.
            self.set_reactive(TextArea.virtual_size, size)
            self.scroll_y = min(self.scroll_y, self.max_scroll_y)
        self.refresh()

    @property
    def gutter_width(self) -> int:
        """Cells before the text: the edge, the number, and room, as where a text is only looked at."""
        return max(3, len(str(self.document.line_count))) + 4

    # --- painting -----------------------------------------------------------------------------------

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Paint again just those rows that would look different, once all of a key's changes are done."""
        if regions or layout or recompose or not repaint or not self.is_mounted or not self.size:
            if layout or recompose:
                self._shown.clear()
            return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        if not self._comparing:
            self._comparing = True
            self.call_next(self._refresh_changed)
        return self

    def _refresh_changed(self) -> None:
        self._comparing = False
        ink = ink_of(self.app)
        width, height = self.size
        changed = [Region(0, y, width, 1) for y in range(height) if self._shown.get(y) != self._look(y, ink)]
        if changed:
            super().refresh(*changed)

    def render_line(self, y: int) -> Strip:
        ink = ink_of(self.app)
        look = self._look(y, ink)
        self._shown[y] = look
        strip = self._painted.get(look)
        if strip is None:
            if len(self._painted) >= MOST_PAINTED:
                self._painted.clear()
            strip = self._painted[look] = self._paint(look, ink)
        return strip

    def _look(self, y: int, ink: Ink) -> Look:
        rows = self.wrapped_document._offset_to_line_info
        row = self.scroll_offset.y + y
        bare = Look(self.size.width, self._scroll_mark(y, len(rows)), self.has_focus, id(ink))
        if row >= len(rows):
            return bare
        index, section = rows[row]
        text = self.document[index]
        ends = [0, *self.wrapped_document.get_offsets(index), len(text)]
        first, last = ends[section], ends[section + 1]
        start, end = sorted(self.selection)
        selected = None
        if start != end and start[0] <= index <= end[0]:
            selected = (start[1] if start[0] == index else 0, end[1] if end[0] == index else len(text) + 1)
        row_of_cursor, column = self.selection.end
        here = row_of_cursor == index
        at_end = section == len(ends) - 2
        shown = here and self.has_focus and first <= column and (column < last or at_end)
        partner = self._matching_bracket_location
        return bare._replace(
            text=text,
            line=index,
            first=first,
            last=last,
            number=str(index + 1) if section == 0 else "",
            runs=self._colours.line(index),
            selected=selected,
            cursor=column if shown else None,
            bracket=partner[1] if partner is not None and partner[0] == index and start == end else None,
            here=here,
            gutter=self.gutter_width,
            x=0 if self.soft_wrap else self.scroll_offset.x,
        )

    def _scroll_mark(self, y: int, total: int) -> bool:
        height = self.size.height
        if total <= height:
            return False
        size = max(1, height * height // total)
        start = round(self.scroll_offset.y * (height - size) / max(1, total - height))
        return start <= y < start + size

    def _paint(self, look: Look, ink: Ink) -> Strip:
        edge = _edge(look.focus, ink)
        if look.text is None:
            blank = Segment(" " * (look.width - 2), ink.style("", "background"))
            return Strip([edge, blank, _mark(look.marked, ink, "background")], look.width)
        ground = "surface" if look.here else "background"
        number_role = "accent" if look.here else "quiet"
        margin = Segment(f"{look.number:>{look.gutter - 3}}  ", ink.style(number_role, ground))
        widths = self.wrapped_document.get_tab_widths(look.line) if "\t" in look.text else []
        cells = _Cells(look.text, look.first, widths)
        segments = [Segment(cells.of(at, until), style) for at, until, style in _pieces(look, ink, ground)]
        if look.cursor is not None and look.cursor >= look.last:
            segments.append(Segment(" ", ink.style("cursor")))
        elif look.selected is not None and look.selected[1] > len(look.text) == look.last:
            segments.append(Segment(" ", ink.style("", "picked")))
        room = max(1, look.width - look.gutter - 1)
        strip = Strip(segments)
        if look.x:
            strip = strip.crop(look.x, look.x + room)
        strip = strip.adjust_cell_length(room, ink.style("", ground))
        return Strip([edge, margin, *strip, _mark(look.marked, ink, ground)], look.width)


def _edge(focus: bool, ink: Ink) -> Segment:
    """The first cell of a row: the accent bar while the editor has the keys."""
    sign, role = ("▌", "accent") if focus else ("│", "hairline")
    return Segment(ink.sign(sign), ink.style(role, "background"))


def _mark(marked: bool, ink: Ink, ground: str) -> Segment:
    """The last cell of a row: a part of the scroll mark, or nothing."""
    return (
        Segment(ink.sign("▐"), ink.style("hairline", ground))
        if marked
        else Segment(" ", ink.style("", ground))
    )


class _Cells:
    """A part of a line as it is drawn: signs for control characters, spaces for tabs."""

    def __init__(self, text: str, first: int, tab_widths: list[int]) -> None:
        self._text = text
        self._tabs = iter(tab_widths[text.count("\t", 0, first) :])

    def of(self, start: int, end: int) -> str:
        """The characters of a range, which follows the range asked for before."""
        shown = visible(self._text[start:end])
        while "\t" in shown:
            shown = shown.replace("\t", " " * next(self._tabs, 1), 1)
        return shown


def _pieces(look: Look, ink: Ink, ground: str) -> Iterable[tuple[int, int, Style]]:
    """Ranges of a row that look the same, from left to right."""
    first, last = look.first, look.last
    cuts = {first, last, *(look.selected or ())}
    for start, end, _ in look.runs:
        cuts |= {start, end}
    for column in (look.cursor, look.bracket):
        if column is not None:
            cuts |= {column, column + 1}
    roles = iter(look.runs)
    start, end, role = next(roles, (last, last, ""))
    for at, until in pairwise(sorted(cut for cut in cuts if first <= cut <= last)):
        while end <= at and start < last:
            start, end, role = next(roles, (last, last, ""))
        name = role if start <= at < end else ""
        if at == look.cursor:
            yield at, until, ink.style("cursor")
        elif look.selected is not None and look.selected[0] <= at < look.selected[1]:
            yield at, until, ink.style(name, "picked")
        elif at == look.bracket:
            yield at, until, ink.style("accent b", "selected")
        else:
            yield at, until, ink.style(name, ground)


def indent_of(text: str) -> tuple[Any, int]:
    """What a text indents with, `tabs` or `spaces`, and by how many cells."""
    for line in text[:20_000].split("\n"):
        if line.startswith("\t"):
            return "tabs", 4
        spaces = len(line) - len(line.lstrip(" "))
        if spaces in {2, 4, 8} and line.strip():
            return "spaces", spaces
    return "spaces", 4


def editor_theme(ink: Ink) -> TextAreaTheme:
    """The app's theme, for the text areas of dialogs."""
    return TextAreaTheme(
        name="flowide",
        base_style=ink.style("", "field"),
        gutter_style=ink.style("quiet", "field"),
        cursor_style=ink.style("cursor"),
        cursor_line_style=ink.style("", "field"),
        cursor_line_gutter_style=ink.style("accent", "field"),
        selection_style=ink.style("", "picked"),
        bracket_matching_style=ink.style("accent b", "selected"),
        syntax_styles={},
    )
