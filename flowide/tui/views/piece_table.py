"""The pieces of a set as a table: which variations have the same text, which another one, which none."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from flowide.tui.views.grid import Grid
from flowide.tui.views.grid_state import Pick
from flowide.tui.views.spans import Row, Span, clean

CELL = 6
"""Cells a variation takes in the table."""


class Cell(Struct, frozen=True):
    """Key of a row: a piece."""

    piece: str


def table_rows(grid: Grid, picks: Collection[Pick], base: int | None, column: int, width: int) -> list[Row]:
    """One row a piece, in the order of the first variation that has it; `column` is the one with the cursor.

    Same letter = same text. `a` is the text most variations have.
    """
    finished = [(index, each) for index, each in enumerate(grid.columns) if each.number is not None]
    room = max(16, width - CELL * len(finished) - 2)
    rows = []
    for name, groups in grid.groups.items():
        letters = _letters([groups[index] for index, _ in finished])
        cells: list[Span] = []
        for (index, each), letter in zip(finished, letters, strict=True):
            picked = any(pick.number == each.number and pick.piece == name for pick in picks)
            text = f"{'▌' if picked else ' '}{letter or '·'}{'◂' if index == column else ' '}"
            role = "accent b" if picked else "quiet" if letter in {"", "a"} else "warn"
            cells.append((f"{text:^{CELL}}", role))
        indent = "  " * name.count(".") if not name.startswith("#") else ""
        label = clean(name if name.startswith("#") else name.rsplit(".", 1)[-1])
        rows.append(Row(((f"{indent}{label}"[:room].ljust(room), ""), *cells), (), Cell(name)))
    return rows


def table_head(grid: Grid, base: int | None, column: int, width: int) -> list[Span]:
    """The numbers above the cells; the base of the mix is marked."""
    finished = [(index, each) for index, each in enumerate(grid.columns) if each.number is not None]
    room = max(16, width - CELL * len(finished) - 2)
    spans: list[Span] = [("PIECE".ljust(room), "quiet b")]
    for index, each in finished:
        name = f"{each.number}{'=' if each.number == base else ''}"
        spans.append((f"{name:^{CELL}}", "accent b" if index == column else "b"))
    return spans


def _letters(groups: list[int | None]) -> list[str]:
    """A letter for each text; the most common one is `a`; empty where the piece is missing."""
    present = [group for group in groups if group is not None]
    order = sorted(set(present), key=lambda group: (-present.count(group), present.index(group)))
    names = {group: chr(ord("a") + min(at, 25)) for at, group in enumerate(order)}
    return [names[group] if group is not None else "" for group in groups]
