"""Where a person is in the grid, and what they picked: changes by keys, without a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from flowide.tui.views.grid import Column, Grid, short_name
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.words import count

if TYPE_CHECKING:
    from flowide.pieces.model import Piece


class Pick(Struct, frozen=True):
    """A piece taken from a variation."""

    number: int
    piece: str


class Preview(Struct, frozen=True):
    """What a blend of the present picks would be."""

    base: int
    picks: tuple[Pick, ...]
    text: str | None
    """None = the splice was refused."""
    refused: str = ""
    warnings: tuple[str, ...] = ()


class GridState:
    """Focus, cursor, picks. The grid itself is replaced whenever the set changes."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.focus = 0
        """Index of the column with the keys."""
        self.pinned: str | None = None
        """Key of a column that stays at the left."""
        self.cursor = 0
        """Row of the grid."""
        self.base: int | None = None
        """Number of the variation the mix starts from; 0 = the set's own base; None = not chosen."""
        self.picks: list[Pick] = []
        self.diff = False
        """Show what was taken away, too."""
        self.preview: Preview | None = None

    # --- the grid changes ---------------------------------------------------------------------------

    def replace(self, grid: Grid) -> None:
        """Take over a newer grid: focus and cursor stay where the person is, by key and line."""
        old = self.column
        line = self.line_of(self.cursor, old)
        key = old.key if old else None
        self.grid = grid
        if key is not None:
            found = grid.at(key)
            self.focus = found if found is not None else min(self.focus, max(0, len(grid.columns) - 1))
        if line is not None and self.column is not None:
            row = self.row_of(line)
            if row is not None:
                self.cursor = row
        self.cursor = max(0, min(self.cursor, len(grid.rows) - 1))

    def focus_number(self, number: int) -> None:
        """Move to a variation."""
        found = self.grid.at(str(number))
        if found is not None:
            self.focus = found

    # --- where am I ---------------------------------------------------------------------------------

    @property
    def column(self) -> Column | None:
        """The column with the keys; None while the set is empty."""
        columns = self.grid.columns
        return columns[self.focus] if 0 <= self.focus < len(columns) else None

    def line_of(self, row: int, column: Column | None = None) -> int | None:
        """Line of a column in a row, from 0."""
        column = column or self.column
        if column is None or not 0 <= row < len(self.grid.rows):
            return None
        index = self.grid.at(column.key)
        return None if index is None else self.grid.rows[row].cells[index]

    def row_of(self, line: int) -> int | None:
        """Row in which a line of the focused column stands."""
        for index, row in enumerate(self.grid.rows):
            if row.cells[self.focus] == line:
                return index
        return None

    def piece_at(self, row: int, column: Column) -> Piece | None:
        """The innermost piece of a column in a row; in a blank row the one around it."""
        line = self.line_of(row, column)
        if line is None:
            return None
        return piece_on(column, line + 1)

    @property
    def piece(self) -> Piece | None:
        """The piece under the cursor."""
        return None if self.column is None else self.piece_at(self.cursor, self.column)

    # --- moving -------------------------------------------------------------------------------------

    def move_column(self, by: int) -> None:
        """To the left or right, as far as there are columns."""
        if self.grid.columns:
            self.focus = max(0, min(len(self.grid.columns) - 1, self.focus + by))

    def next_piece(self, by: int) -> None:
        """To the start of the next (or previous) piece of the column."""
        column = self.column
        if column is None or not column.pieces:
            return
        starts = sorted(
            {row for piece in column.pieces if (row := self.row_of(name_line(piece))) is not None}
        )
        ahead = (
            [row for row in starts if row > self.cursor] if by > 0 else [r for r in starts if r < self.cursor]
        )
        if ahead:
            self.cursor = ahead[0] if by > 0 else ahead[-1]

    # --- mixing -------------------------------------------------------------------------------------

    def set_base(self) -> str:
        """The focused variation becomes the base of the mix; says so."""
        column = self.column
        if column is None or column.number is None:
            return "This one is not finished yet."
        if self.base == column.number and self.picks:
            return f"{column.number} is the base already; move to another column to change it."
        self.base = None if self.base == column.number else column.number
        self.picks = [pick for pick in self.picks if pick.number != self.base]
        self.preview = None
        return ""

    def toggle_pick(self) -> str:
        """Pick the piece under the cursor, or put it back; returns why not, or nothing."""
        column, piece = self.column, self.piece
        if column is None or column.number is None:
            return "This one is not finished yet: its pieces can be picked when it is."
        if piece is None:
            return "No piece on this line. Press n for the next one."
        return self._toggle(column.number, piece.name)

    def toggle_piece(self, name: str) -> str:
        """Pick a piece of the focused variation by its name, or put it back; returns why not, or nothing."""
        column = self.column
        if column is None or column.number is None:
            return "This one is not finished yet: its pieces can be picked when it is."
        if all(piece.name != name for piece in column.pieces):
            return f"{column.number} has no {name}."
        return self._toggle(column.number, name)

    def go_to_piece(self, name: str) -> None:
        """Put the cursor on a piece of the focused variation, when it has it."""
        column = self.column
        for piece in column.pieces if column is not None else ():
            row = self.row_of(name_line(piece)) if piece.name == name else None
            if row is not None:
                self.cursor = row

    def _toggle(self, number: int, name: str) -> str:
        if self.base is None:
            self.base = self._likely_base(number)
        if number == self.base:
            return f"{number} is the base of the mix: all its pieces are in. Press b to change the base."
        pick = Pick(number, name)
        self.preview = None
        if pick in self.picks:
            self.picks.remove(pick)
            return ""
        self.picks = [other for other in self.picks if not _overlap(other.piece, name)]
        self.picks.append(pick)
        return ""

    def undo_pick(self) -> None:
        """Put the last picked piece back; after the last one, the base."""
        self.preview = None
        if self.picks:
            self.picks.pop()
        else:
            self.base = None

    def clear(self) -> None:
        """Nothing is mixed any more."""
        self.base, self.picks, self.preview = None, [], None

    def picked_lines(self, column: Column) -> set[int]:
        """Lines (from 0) of a column that go into the mix as picks."""
        names = {pick.piece for pick in self.picks if pick.number == column.number}
        return {
            line
            for piece in column.pieces
            if piece.name in names
            for line in range(piece.start_line - 1, piece.end_line)
        }

    def _likely_base(self, but: int) -> int:
        """A base for the first pick: the best variation that is not the picked one."""
        candidates = [c for c in self.grid.columns if c.number is not None and c.number != but]
        if not candidates:
            return 0
        best = max(candidates, key=_merit)
        return best.number or 0

    # --- in words -----------------------------------------------------------------------------------

    def mix_bar(self, next_number: int) -> tuple[list[Span], list[Span]]:
        """`MIX base 4 + _evict from 2 → 9 parses ✓` and what enter does."""
        if self.base is None and not self.picks:
            words: list[Span] = [(" MIX ", "quiet b"), ("nothing picked: ", "quiet")]
            return [*words, ("space", "key"), (" picks the piece at the cursor, ", "quiet"), ("b", "key"),
                    (" chooses the base", "quiet")], []  # fmt: skip
        spans: list[Span] = [(" MIX ", "accent b"), ("base ", "quiet"), (self._base_name(), "b")]
        for pick in self.picks:
            spans += [(" + ", "quiet"), (short_name(pick.piece), "accent"), (f" from {pick.number}", "quiet")]
        if not self.picks:
            return [*spans, ("  space picks pieces of the others", "quiet")], []
        preview = self.preview
        if preview is None:
            return [*spans, ("  …", "quiet")], []
        if preview.text is None:
            return [*spans, ("  ✗ ", "bad"), (clean(preview.refused), "bad")], [("⌫ undo last ", "quiet")]
        spans += [(f"  → {next_number} ", "quiet"), ("parses ✓", "good")]
        if preview.warnings:
            spans += [(f"  ! {count(len(preview.warnings), 'warning')}", "warn")]
        return spans, [("enter", "key"), (" build  ", "quiet"), ("⌫", "key"), (" undo last ", "quiet")]

    def _base_name(self) -> str:
        return "the original" if self.base == 0 else str(self.base)

    def piece_words(self) -> list[Span]:
        """What is under the cursor, and who else has it: `LRUCache._evict · same in 1 · differs in 2, 4`."""
        column, piece = self.column, self.piece
        if column is None:
            return []
        if piece is None:
            line = self.line_of(self.cursor)
            return [("not in this one" if line is None else "between pieces", "quiet")]
        spans: list[Span] = [(clean(piece.name), "b"), (f"  {piece.kind}", "quiet")]
        groups = self.grid.groups.get(piece.name)
        if groups is None:
            return spans
        mine = groups[self.focus]
        others = [
            (c, g) for i, (c, g) in enumerate(zip(self.grid.columns, groups, strict=True)) if i != self.focus
        ]
        same = [str(c.number) for c, g in others if g is not None and g == mine and c.number is not None]
        differs = [str(c.number) for c, g in others if g is not None and g != mine and c.number is not None]
        missing = [str(c.number) for c, g in others if g is None and c.number is not None]
        for word, numbers in (("same in", same), ("differs in", differs), ("missing in", missing)):
            if numbers:
                spans += [(f"  · {word} ", "quiet"), (" ".join(sorted(numbers, key=int)), "")]
        return spans


def piece_on(column: Column, line: int) -> Piece | None:
    """The innermost piece on a line, which counts from 1."""
    inside = [piece for piece in column.pieces if piece.start_line <= line <= piece.end_line]
    return max(inside, key=lambda piece: (piece.start_line, -piece.end_line), default=None)


def name_line(piece: Piece) -> int:
    """The line (from 0) the cursor goes to for a piece."""
    return piece.start_line - 1


def _overlap(one: str, other: str) -> bool:
    """Whether one piece contains the other, or they are the same: only one source can give it."""
    return one == other or any(a.startswith((b + ".", b + "/")) for a, b in ((one, other), (other, one)))


def _merit(column: Column) -> tuple[bool, bool, int, int]:
    view = column.view
    if view is None:
        return (False, False, 0, 0)
    passed = bool(view.checks) and all(check.status == "passed" for check in view.checks)
    return (not view.variation.rejected, view.variation.shortlisted, int(passed), -len(column.lines))
