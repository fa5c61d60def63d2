"""Plots drawn in text: bars to half a cell, and sparklines."""

from __future__ import annotations

from collections.abc import Sequence

_HEIGHTS = "▁▂▃▄▅▆▇█"


def bar(value: float, most: float, width: int) -> str:
    """A bar of at most `width` cells, as long as `value` is of `most`, to half a cell; what is not nothing is seen."""
    if most <= 0 or value <= 0 or width <= 0:
        return ""
    whole, rest = divmod(max(1, round(min(1.0, value / most) * width * 2)), 2)
    return "━" * whole + "╸" * rest


def share(part: float, whole: float, width: int) -> tuple[str, str]:
    """A part of a whole as two pieces of a line of `width` cells: what is filled, and what is not."""
    filled = bar(part, whole, width)
    return filled, "─" * (width - len(filled))


def sparkline(values: Sequence[float], most: float | None = None) -> str:
    """A sign for each value, as high as it is of the greatest; a blank for nothing."""
    top = max(values, default=0) if most is None else most
    if top <= 0:
        return " " * len(values)
    last = len(_HEIGHTS) - 1
    return "".join(
        " " if value <= 0 else _HEIGHTS[min(last, int(value / top * last + 0.5))] for value in values
    )


def binned(places: Sequence[float], start: float, end: float, many: int) -> list[int]:
    """How many of some places fall into each of `many` equal parts of a range."""
    found = [0] * max(0, many)
    span = end - start
    for place in places:
        if many > 0 and start <= place <= end:
            at = int((place - start) / span * many) if span > 0 else 0
            found[min(many - 1, at)] += 1
    return found
