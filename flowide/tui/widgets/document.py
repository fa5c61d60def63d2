"""The text behind the editor: nothing but the edited lines changes, and no key costs the whole text.

Textual's own document ends a line at every separator Unicode knows and joins them with the first it has seen, so a
form feed or a mix of line ends would be rewritten by the first save. Its sizes are summed anew for each key. These
classes touch private names of Textual; `tests/tui` fails when those move.
"""

from __future__ import annotations

from rich.cells import cell_len
from textual.document._document import Document, EditResult, Location
from textual.document._wrapped_document import WrappedDocument
from textual.geometry import Size

from flowide.patterns import lazy

_BREAK = lazy(r"\r?\n")


class ExactDocument(Document):
    """Lines end at a line feed only; what else is in them, a stray carriage return too, stays as it is."""

    def __init__(self, text: str) -> None:
        crlf = "\r\n" in text and text.count("\n") == text.count("\r\n")
        self._newline = "\r\n" if crlf else "\n"
        self._lines = text.split(self._newline)
        self._tab_width = 0
        self._widths: list[int] = []

    def get_size(self, tab_width: int) -> Size:
        """Cells of the longest line, and the number of lines; only lines that changed are measured."""
        if tab_width != self._tab_width:
            self._tab_width = tab_width
            self._widths = self._measure(self._lines)
        return Size(max(self._widths, default=0), len(self._lines))

    def _measure(self, lines: list[str]) -> list[int]:
        return [
            len(line) if line.isascii() and line.isprintable() else cell_len(line.expandtabs(self._tab_width))
            for line in lines
        ]

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        """Replace what is between two places."""
        (top_row, top_column), (bottom_row, bottom_column) = sorted((start, end))
        replaced = self.get_text_range(start, end)
        lines = self._lines
        before = lines[top_row][:top_column] if top_row < len(lines) else ""
        after = lines[bottom_row][bottom_column:] if bottom_row < len(lines) else ""
        new = _BREAK.split(text) if self._newline == "\r\n" else text.split("\n")
        new[0] = before + new[0]
        end_column = len(new[-1])
        new[-1] += after
        lines[top_row : bottom_row + 1] = new
        if self._tab_width:
            self._widths[top_row : bottom_row + 1] = self._measure(new)
        return EditResult((top_row + len(new) - 1, end_column), replaced)


class QuickWrapped(WrappedDocument):
    """Knows its height instead of summing it for every painted line."""

    @property
    def height(self) -> int:
        """Rows of the text as it is wrapped."""
        return len(self._offset_to_line_info)
