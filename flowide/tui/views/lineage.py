"""Where the pieces of a variation come from: who wrote each, in which variation, through any number of blends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowide.tui.views.actors import colour_of
from flowide.tui.views.grid import Column, Grid, blend_words, short_name
from flowide.tui.views.spans import Span, clean
from flowide.tui.views.words import clock_time

if TYPE_CHECKING:
    from flowide.domain.rows import Variation

Line = list[Span]


def source_of(grid: Grid, column: Column, piece: str) -> Variation | None:
    """The variation in which a piece of a column was written; None when that cannot be told."""
    if column.view is None:
        return None
    found = column.view.variation.lineage.get(piece)
    if found is None:
        return None if column.view.variation.origin == "blend" else column.view.variation
    return _variation(grid, found) or _by_label(grid, found)


def _variation(grid: Grid, origin: Mapping[str, Any]) -> Variation | None:
    return next(
        (
            each.view.variation
            for each in grid.columns
            if each.view is not None and each.view.variation.id == origin.get("variation")
        ),
        None,
    )


def _by_label(grid: Grid, origin: Mapping[str, Any]) -> Variation | None:
    number = str(origin.get("label", "")).removeprefix("variation ")
    found = grid.numbered(int(number)) if number.isdigit() else None
    return found.view.variation if found is not None and found.view is not None else None


def from_words(grid: Grid, column: Column, piece: str, book: Mapping[str, str]) -> list[Span]:
    """`from 2 quinn`, for a piece that another variation brought; nothing for one that was written here."""
    source = source_of(grid, column, piece)
    if source is None or source.number == column.number:
        return []
    colour = colour_of(book, source.actor)
    return [
        ("  · from ", "quiet"),
        (str(source.number), "b"),
        (" ", ""),
        (clean(source.actor), f"{colour} b"),
    ]


def lineage_lines(grid: Grid, column: Column, book: Mapping[str, str], width: int) -> list[Line]:
    """All that is known of how a variation came to be, then each piece with its author."""
    assert column.view is not None
    variation = column.view.variation
    colour = colour_of(book, variation.actor)
    who: Line = [(clean(variation.actor), f"{colour} b"), (f"  {clean(variation.model or '')}", "quiet")]
    made = {"blend": "put together by ", "manual": "written by hand by "}.get(variation.origin, "written by ")
    lines: list[Line] = [
        [(made, "quiet"), *who, (f"  round {variation.round}, {clock_time(variation.ts)}", "quiet")]
    ]
    if variation.origin == "blend":
        lines.append([("it is ", "quiet"), (blend_words(variation).removeprefix("= "), "")])
    elif variation.parents:
        shown = " ".join(str(each.get("variation", "?")) for each in variation.parents)
        lines.append([("its author was shown the short list: ", "quiet"), (shown, "")])
    if grid.group.base:
        lines.append(
            [("the set began with ", "quiet"), (f"v{grid.group.base}", ""), (" of the file", "quiet")]
        )
    lines += [[], [("PIECES", "accent b"), ("  and who wrote them", "quiet")]]
    if not column.pieces:
        return [*lines, [("No pieces are known in this kind of text.", "quiet")]]
    room = max(12, min(44, width // 2))
    for piece in column.pieces:
        depth = 0 if piece.name.startswith("#") else piece.name.count(".")
        name = f"{'  ' * depth}{short_name(piece.name)}"
        source = source_of(grid, column, piece.name)
        line: Line = [(f"{name:<{room}.{room}} ", "")]
        if source is None:
            line.append(("not known", "quiet"))
        else:
            colour = colour_of(book, source.actor)
            here = source.number == column.number
            line += [(f"{'here' if here else source.number:<5}", "quiet" if here else "b")]
            line += [(clean(source.actor), f"{colour} b"), (f"  {clean(source.model or '')}", "quiet")]
        lines.append(line)
    return lines
