"""The order of the grid's columns: by number, by checks, by what checks measured, by score, by size."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from flowide.tui.views.align import Aligned
from flowide.tui.views.grid import PARSES, Column, Grid, best_score

NUMBER = "number"
CHECKS = "checks passed"
SCORE = "score"
SIZE = "fewest lines"
CHANGED = "fewest changes"


def orders(grid: Grid) -> list[str]:
    """The orders that say something about these columns; numbers that checks measured are named after them."""
    views = [column.view for column in grid.columns if column.view is not None]
    found = [NUMBER]
    checks = [check for view in views for check in view.checks if check.name != PARSES]
    if checks:
        found.append(CHECKS)
    measured = dict.fromkeys(
        f"{check.name} {name}"
        for check in checks
        for name, value in check.metrics.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and name != "exit_code"
    )
    found += measured
    if any(best_score(view.variation) is not None for view in views):
        found.append(SCORE)
    return [*found, SIZE, *([CHANGED] if grid.base_lines else [])]


def ordered(grid: Grid, order: str) -> Grid:
    """The grid with its columns in another order; what is being written stays at the end."""
    places = sorted(range(len(grid.columns)), key=lambda at: _rank(grid.columns[at], order, at))
    if places == list(range(len(places))):
        return grid
    return structs.replace(
        grid,
        columns=tuple(grid.columns[at] for at in places),
        rows=tuple(Aligned(row.base, _moved(row.cells, places)) for row in grid.rows),
        groups={name: _moved(groups, places) for name, groups in grid.groups.items()},
    )


def _moved(values: Sequence[int | None], places: Sequence[int]) -> tuple[int | None, ...]:
    return tuple(values[at] for at in places)


def _rank(column: Column, order: str, at: int) -> tuple[bool, bool, float, int]:
    """Being written last, dropped ones before them, then by the order; the best first."""
    view = column.view
    if view is None:
        return (True, False, 0.0, at)
    number = column.number or at
    if order == NUMBER:
        return (False, False, 0.0, number)
    return (False, view.variation.rejected, -_value(column, order), number)


def _value(column: Column, order: str) -> float:
    """More is better."""
    view = column.view
    assert view is not None
    if order == CHECKS:
        others = [check for check in view.checks if check.name != PARSES]
        tests = [check.metrics.get("passed") for check in others]
        return sum(check.status == "passed" for check in others) + sum(
            min(value, 999) / 1000 for value in tests if isinstance(value, int)
        )
    if order == SCORE:
        return float(best_score(view.variation) or -1)
    if order == SIZE:
        return -float(len(column.lines))
    if order == CHANGED:
        return -float(column.change.added + column.change.removed)
    for check in view.checks:
        for name, value in check.metrics.items():
            if order == f"{check.name} {name}" and isinstance(value, int | float):
                return float(value) if check.status == "passed" else float("-inf")
    return float("-inf")
