"""The variation grid as a model: columns, rows in step, pieces, and what each header says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from flowide.tui.views.actors import colour_of
from flowide.tui.views.align import Aligned, Change, align, compare_lines, side_by_side
from flowide.tui.views.spans import Span, clean, lines_of, plain
from flowide.tui.views.words import count, duration

if TYPE_CHECKING:
    from flowide.domain import rows
    from flowide.pieces.model import Language, Piece
    from flowide.space.queries import VariationView

PARSES = "parses"
"""Name of the check that every variation gets."""


class Column(Struct, frozen=True, kw_only=True):
    """One text of the grid: a variation, one that is being written, or the preview of a blend."""

    key: str
    """`3`, or the key of the step that writes it."""
    number: int | None
    """None while it is being written, and for a preview."""
    actor: str
    text: str
    lines: tuple[str, ...]
    change: Change
    pieces: tuple[Piece, ...] = ()
    view: VariationView | None = None
    streaming: bool = False
    done: bool = False
    """It is written, and waits for the ones before it."""


class Grid(Struct, frozen=True, kw_only=True):
    """A variation set, ready to be drawn."""

    group: rows.VariationSet
    base_text: str
    base_lines: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Aligned, ...]
    language: Language | None
    groups: Mapping[str, tuple[int | None, ...]] = {}
    """Per piece: columns with the same number have the same text; None lacks the piece."""

    def at(self, key: str) -> int | None:
        """Index of a column."""
        return next((index for index, column in enumerate(self.columns) if column.key == key), None)

    def numbered(self, number: int) -> Column | None:
        """The column of a variation."""
        return next((column for column in self.columns if column.number == number), None)


def numbered_column(view: VariationView, text: str, base: Sequence[str], pieces: Sequence[Piece]) -> Column:
    """A variation as a column."""
    lines = tuple(lines_of(text))
    return Column(
        key=str(view.variation.number),
        number=view.variation.number,
        actor=view.variation.actor,
        text=text,
        lines=lines,
        change=compare_lines(base, lines),
        pieces=tuple(pieces),
        view=view,
    )


def streaming_column(key: str, actor: str, text: str, base: Sequence[str], *, done: bool = False) -> Column:
    """A text that is being written: line n stands beside the base's line n, so that nothing jumps."""
    lines = tuple(lines_of(text))
    paired = min(len(base), len(lines))
    beside = tuple(index if index < paired else None for index in range(len(base)))
    extra: list[tuple[int, ...]] = [()] * len(base) + [tuple(range(paired, len(lines)))]
    change = Change(beside, tuple(extra), frozenset(), 0, 0)
    return Column(
        key=key,
        number=None,
        actor=actor,
        text=text,
        lines=lines,
        change=change,
        streaming=True,
        done=done,
    )


def make_grid(
    group: rows.VariationSet,
    base_text: str,
    columns: Sequence[Column],
    language: Language | None,
    groups: Mapping[str, tuple[int | None, ...]] | None = None,
) -> Grid:
    """Bring the columns into step."""
    base = lines_of(base_text)
    if base:
        aligned = align(len(base), [column.change for column in columns])
    else:
        aligned = side_by_side([len(column.lines) for column in columns])
    return Grid(
        group=group,
        base_text=base_text,
        base_lines=tuple(base),
        columns=tuple(columns),
        rows=tuple(aligned),
        language=language,
        groups=groups or {},
    )


# --- headers ----------------------------------------------------------------------------------------


def title(column: Column, book: Mapping[str, str]) -> list[Span]:
    """`3  quinn  ★ short list`."""
    colour = colour_of(book, column.actor)
    if column.streaming:
        doing = "written" if column.done else "writing"
        return [("◐", colour), ("  ", ""), (clean(column.actor), f"{colour} b"), (f"  {doing}", "quiet")]
    assert column.view is not None
    variation = column.view.variation
    spans: list[Span] = [(str(column.number), "b"), ("  ", ""), (clean(column.actor), f"{colour} b")]
    if variation.origin == "blend":
        spans += [("  blend", "secondary")]
    if variation.accepted is not None:
        spans += [(f"  ✓ is v{variation.accepted}", "good")]
    if variation.shortlisted:
        spans += [("  ★ short list", "accent")]
    if variation.rejected:
        spans += [("  ✗ dropped", "bad")]
    for tag in variation.tags:
        spans += [(f"  #{clean(tag)}", "quiet")]
    return spans


def stats(column: Column) -> list[Span]:
    """`92 lines  +31 -12  7/10`."""
    size = count(len(column.lines), "line")
    spans: list[Span] = [(size, "quiet")]
    if column.streaming:
        return spans
    if column.change.added or column.change.removed:
        spans += [
            ("  ", ""),
            (f"+{column.change.added}", "add"),
            (" ", ""),
            (f"\N{MINUS SIGN}{column.change.removed}", "del"),
        ]
    score = None if column.view is None else best_score(column.view.variation)
    if score is not None:
        spans += [("  ", ""), (f"{score}/10", "secondary")]
    return spans


def checks(column: Column) -> list[Span]:
    """`✓ tests 41/41  ✗ lint`; that a text parses is told only when nothing else was checked."""
    found = [] if column.view is None else column.view.checks
    others = [check for check in found if check.name != PARSES or check.status != "passed"]
    spans: list[Span] = []
    for check in others or found:
        spans += [("  " if spans else "", ""), *check_words(check)]
    return spans


def check_words(check: rows.Check) -> list[Span]:
    """`✓ tests 41/41`, `✗ tests 2 failed`, `✗ lint timeout`."""
    sign, role = ("✓", "good") if check.status == "passed" else ("✗", "bad")
    name = clean(check.name)
    passed, failed = check.metrics.get("passed"), check.metrics.get("failed")
    if check.status == "timeout":
        detail = f" took over {duration(check.duration_ms)}"
    elif check.status == "error":
        detail = " did not run"
    elif isinstance(passed, int) and isinstance(failed, int):
        detail = f" {passed}/{passed + failed}"
    elif isinstance(passed, int) and check.status == "passed":
        detail = f" {passed}/{passed}"
    else:
        detail = ""
    return [(f"{sign} {name}{detail}", role)]


def remark(column: Column) -> list[Span]:
    """The fourth header line: where a blend comes from, and what the newest critique or note says."""
    if column.view is None:
        return []
    variation = column.view.variation
    spans: list[Span] = []
    if variation.origin == "blend":
        spans.append((blend_words(variation), "quiet"))
    if variation.notes:
        newest = variation.notes[-1]
        said = clean(" ".join(str(newest.get("text", "")).split()))
        gap = " · " if spans else ""
        spans += [(f"{gap}{clean(str(newest.get('actor', '?')))}: ", "quiet"), (said, "quiet i")]
    return spans


def blend_words(variation: rows.Variation) -> str:
    """`= 4 + _evict from 2, get from 3`."""
    base, *takes = variation.parents or [{}]
    names = [f"{short_name(str(take.get('piece', '?')))} from {take.get('variation', '?')}" for take in takes]
    return f"= {base.get('variation', '?')}" + (f" + {', '.join(names)}" if names else "")


def best_score(variation: rows.Variation) -> int | None:
    """The newest score a critique gave."""
    scores = [note["score"] for note in variation.notes if note.get("score") is not None]
    return scores[-1] if scores else None


def short_name(piece: str) -> str:
    """The last part of a piece's name, as there is little room."""
    if piece.startswith("#"):
        return clean(piece)
    return clean(piece.rsplit("/", 1)[-1].rsplit(".", 1)[-1])


def strip_of_numbers(grid: Grid, focus: int) -> list[Span]:
    """`1  2  3★ ▌4✓▐ 5✗`: which columns there are, when they do not all fit."""
    spans: list[Span] = []
    for index, column in enumerate(grid.columns):
        sign = column_sign(column)
        name = str(column.number) if column.number is not None else "◐"
        here = index == focus
        spans.append((f" {name}{sign} ", "cursor b" if here else "quiet"))
    return spans


def column_sign(column: Column) -> str:
    """One sign for the state of a column: accepted or passed ✓, short list ★, dropped or failed ✗."""
    if column.view is None:
        return ""
    variation = column.view.variation
    if variation.rejected:
        return "✗"
    if variation.shortlisted:
        return "★"
    if variation.accepted is not None:
        return "✓"
    statuses = {check.status for check in column.view.checks}
    if not statuses:
        return ""
    return "✓" if statuses == {"passed"} else "✗"


def header_text(column: Column, book: Mapping[str, str]) -> str:
    """All a header says, as plain text."""
    return "\n".join(
        plain(spans) for spans in (title(column, book), stats(column), checks(column), remark(column))
    )
