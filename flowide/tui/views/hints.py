"""The hint line: keys and what they do now."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len

from flowide.tui.views.spans import Span


class Hint(Struct, frozen=True):
    """One key."""

    shown: str
    """The key as it is shown: `^s`."""
    word: str
    """What it does, in a word or two."""
    key: str
    """The key's name: `ctrl+s`."""


GAP = 3


def hint_spans(
    hints: Sequence[Hint], tail: Sequence[Hint], width: int
) -> tuple[list[Span], list[tuple[int, int, str]]]:
    """The hints that fit into `width` cells, and where each one stands: start, end, key.

    The `tail` stands at the right and goes before the others.
    """
    end = _fitting(tail, width - 2)
    taken = sum(_size(hint) for hint in end) + GAP * len(end)
    left = _fitting([hint for hint in hints if hint not in end], width - 1 - taken)
    spans: list[Span] = [(" ", "")]
    places: list[tuple[int, int, str]] = []
    at = 1
    for hint in left:
        at = _put(hint, at, spans, places)
    if end:
        room = max(0, width - at - taken + GAP - 1)
        spans.append((" " * room, ""))
        at += room
    for hint in end:
        at = _put(hint, at, spans, places)
    if places:
        spans.pop()
    return spans, places


def _fitting(hints: Sequence[Hint], width: int) -> list[Hint]:
    """The first hints, leaving out those that are too long for what is left."""
    found: list[Hint] = []
    for hint in hints:
        size = _size(hint) + (GAP if found else 0)
        if size <= width:
            found.append(hint)
            width -= size
    return found


def _size(hint: Hint) -> int:
    return cell_len(hint.shown) + 1 + cell_len(hint.word)


def _put(hint: Hint, at: int, spans: list[Span], places: list[tuple[int, int, str]]) -> int:
    spans += [(hint.shown, "key"), (f" {hint.word}", "quiet"), (" " * GAP, "")]
    places.append((at, at + _size(hint), hint.key))
    return at + _size(hint) + GAP
