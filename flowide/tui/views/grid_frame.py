"""What stands around the grid: the top bar, the words about a variation."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise

from flowide.tui.views.grid import Column, Grid, blend_words, check_words, strip_of_numbers
from flowide.tui.views.spans import Span, clean, lines_of, shorten_path
from flowide.tui.views.words import count, duration

MOST_OUTPUT = 40
"""Lines of a check's output that are shown, the last ones."""


def top_bar(
    grid: Grid, shown: Sequence[int], focus: int, busy: Mapping[str, str], width: int
) -> tuple[list[Span], list[Span]]:
    """Which set, how far it is, and who is at work on it. `shown` are the columns in view."""
    group = grid.group
    left: list[Span] = [(" variations", "accent b"), (" ▸ ", "quiet")]
    if len(shown) < 2 and len(grid.columns) > 1:
        base = f"base v{group.base} " if group.base else ""
        return [*left, *strip_of_numbers(grid, focus)], [(base, "quiet")]
    left.append((shorten_path(clean(group.title), max(20, width // 3)), "b"))
    parts = [f"round {group.round}"] if group.round > 1 else []
    parts.append(count(sum(column.number is not None for column in grid.columns), "variation"))
    if group.base:
        parts.append(f"base v{group.base}")
    if len(shown) < len(grid.columns) and all(grid.columns[index].number for index in shown):
        parts.append(f"showing {_ranges(grid, shown)}")
    left.append(("  " + " · ".join(parts), "quiet"))
    coming = sum(column.streaming for column in grid.columns)
    if coming:
        return left, [("◐ ", "accent"), (f"{coming} being written ", "")]
    if busy:
        words = ", ".join(f"{clean(actor)} {doing}" for actor, doing in busy.items())
        return left, [("◐ ", "accent"), (f"{words} ", "quiet")]
    return left, []


def _ranges(grid: Grid, shown: Sequence[int]) -> str:
    """`3–6`, or `1 4 5` when they do not follow each other."""
    numbers = [grid.columns[index].number or 0 for index in shown]
    names = [str(number) for number in numbers]
    follow = all(after - before == 1 for before, after in pairwise(numbers))
    return f"{names[0]}–{names[-1]}" if follow and len(names) > 1 else " ".join(names)


def about_lines(column: Column, width: int) -> list[list[Span]]:
    """Checks with their output, notes and origin of a variation."""
    assert column.view is not None
    variation = column.view.variation
    lines: list[list[Span]] = [
        [("by ", "quiet"), (clean(variation.actor), "b"), (f"  {clean(variation.model or '')}", "quiet")]
    ]
    if variation.origin == "blend":
        lines.append([(blend_words(variation), "quiet")])
    if variation.tags:
        lines.append([(" ".join(f"#{clean(tag)}" for tag in variation.tags), "quiet")])
    if variation.notes:
        lines += [[], [("Notes", "accent b")]]
    for note in variation.notes:
        score = f"  {note['score']}/10" if note.get("score") is not None else ""
        lines.append([(clean(str(note.get("actor", "?"))), "b"), (score, "secondary")])
        lines += [[("  " + line, "")] for line in wrapped(str(note.get("text", "")), width - 4)]
    for check in column.view.checks:
        lines += [[], [*check_words(check), (f"  {duration(check.duration_ms)}", "quiet")]]
        lines += [[("  " + line, "quiet")] for line in lines_of(check.output)[-MOST_OUTPUT:]]
    return lines


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most so many cells."""
    return [line for part in lines_of(text) for line in textwrap.wrap(part, max(10, width)) or [""]]
