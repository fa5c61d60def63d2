"""The editor: Textual's text area with its own document, colours and painting, so that a key stays cheap.

A key costs one incremental parse, a query over the lines in view, and the lines that look different afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Self

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
from flowide.tui.views.spans import visible
from flowide.tui.widgets.document import ExactDocument, QuickWrapped

MOST_MATCHED = 2_000
"""Lines up to which the partner of a bracket is searched."""
MOST_PAINTED = 1_000
"""Lines of which the painted form is kept."""

LineLook = tuple[Any, ...]
"""All that decides how a line looks."""


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
        self._painted: dict[LineLook, Strip] = {}
        self._shown: dict[int, LineLook] = {}
        """How each visible row looks on the terminal."""
        super().__init__(
            text if draft is None else draft,
            soft_wrap=path.endswith((".md", ".markdown", ".txt", ".rst")),
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

    def go_to(self, line: int) -> None:
        """Put the cursor on a line, from 0, with that line at the top."""
        line = max(0, min(line, self.document.line_count - 1))
        self.move_cursor((line, 0))
        self.call_after_refresh(self.scroll_to, y=line, animate=False)

    def on_text_area_changed(self) -> None:
        """Something was typed."""
        self._seen_change = True

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            return  # the pane decides what leaving means
        if event.key == "enter" and not self.read_only:
            event.stop()
            event.prevent_default()
            row, column = self.selection.start
            line = self.document[row][:column]
            indent = line[: len(line) - len(line.lstrip(" \t"))]
            self._replace_via_keyboard("\n" + indent, *self.selection)
            return
        await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        await super()._on_paste(event)

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

    # --- painting -----------------------------------------------------------------------------------

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Paint again just those lines that would look different."""
        if regions or layout or recompose or not repaint or not self.is_mounted or not self.size:
            if layout or recompose:
                self._shown.clear()
            return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        ink = ink_of(self.app)
        width, height = self.size
        changed = [Region(0, y, width, 1) for y in range(height) if self._shown.get(y) != self._look(y, ink)]
        if len(changed) == height:
            return super().refresh()
        return super().refresh(*changed) if changed else self

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

    def _look(self, y: int, ink: Ink) -> LineLook:
        rows = self.wrapped_document._offset_to_line_info
        row = self.scroll_offset.y + y
        mark = self._scroll_mark(y, len(rows))
        if row >= len(rows):
            return (None, self.size.width, mark, id(ink))
        index, section = rows[row]
        text = self.document[index]
        start, end = sorted(self.selection)
        selected = None
        if start != end and start[0] <= index <= end[0]:
            selected = (start[1] if start[0] == index else 0, end[1] if end[0] == index else len(text) + 1)
        here = self.selection.end[0] == index
        cursor = self.selection.end[1] if here and self.has_focus else None
        partner = self._matching_bracket_location
        bracket = partner[1] if partner is not None and partner[0] == index and start == end else None
        return (
            text, index, section, tuple(self.wrapped_document.get_offsets(index)), self._colours.line(index),
            selected, here, cursor, bracket, self.read_only, self.gutter_width, self.scroll_offset.x,
            self.size.width, mark, id(ink),
        )  # fmt: skip

    def _scroll_mark(self, y: int, total: int) -> bool:
        height = self.size.height
        if total <= height:
            return False
        size = max(1, height * height // total)
        start = round(self.scroll_offset.y * (height - size) / max(1, total - height))
        return start <= y < start + size

    def _paint(self, look: LineLook, ink: Ink) -> Strip:
        if look[0] is None:
            _, width, marked, _ = look
            blank = Segment(" " * (width - 1), ink.style("", "background"))
            return Strip([blank, _mark(marked, ink, "background")], width)
        (
            text,
            index,
            section,
            offsets,
            runs,
            selected,
            here,
            cursor,
            bracket,
            _,
            gutter,
            x,
            width,
            marked,
            _,
        ) = look
        ground = "surface" if here else "background"
        number = str(index + 1) if section == 0 else ""
        margin = Segment(f"{number:>{gutter - 1}} ", ink.style("accent" if here else "quiet", ground))
        first = offsets[section - 1] if section else 0
        last = offsets[section] if section < len(offsets) else len(text)
        widths = self.wrapped_document.get_tab_widths(index) if "\t" in text else []
        cells = _Cells(text, first, widths)
        segments = [
            Segment(cells.of(at, until), style)
            for at, until, style in _pieces(first, last, runs, selected, cursor, bracket, ink, ground)
        ]
        if section == len(offsets):
            if cursor is not None and cursor >= last:
                segments.append(Segment(" ", ink.style("cursor")))
            elif selected is not None and selected[1] > len(text):
                segments.append(Segment(" ", ink.style("", "picked")))
        strip = Strip(segments)
        room = max(1, width - gutter - 1)
        if x and not self.soft_wrap:
            strip = strip.crop(x, x + room)
        strip = strip.adjust_cell_length(room, ink.style("", ground))
        return Strip([margin, *strip, _mark(marked, ink, ground)], width)


def _mark(marked: bool, ink: Ink, ground: str) -> Segment:
    """The last cell of a row: a part of the scroll mark, or nothing."""
    return Segment("▐", ink.style("hairline", ground)) if marked else Segment(" ", ink.style("", ground))


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


def _pieces(
    first: int,
    last: int,
    runs: Runs,
    selected: tuple[int, int] | None,
    cursor: int | None,
    bracket: int | None,
    ink: Ink,
    ground: str,
) -> Iterable[tuple[int, int, Style]]:
    """Ranges of a line that look the same, from left to right."""
    cuts = {first, last, *(selected or ())}
    for start, end, _ in runs:
        cuts |= {start, end}
    for column in (cursor, bracket):
        if column is not None:
            cuts |= {column, column + 1}
    roles = iter(runs)
    start, end, role = next(roles, (last, last, ""))
    for at, until in pairwise(sorted(cut for cut in cuts if first <= cut <= last)):
        while end <= at and start < last:
            start, end, role = next(roles, (last, last, ""))
        name = role if start <= at < end else ""
        if at == cursor:
            yield at, until, ink.style("cursor")
        elif selected is not None and selected[0] <= at < selected[1]:
            yield at, until, ink.style(name, "picked")
        elif at == bracket:
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
