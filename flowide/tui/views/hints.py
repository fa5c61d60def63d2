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


def hint_spans(hints: Sequence[Hint], width: int) -> tuple[list[Span], list[tuple[int, int, str]]]:
    """The hints that fit into `width` cells, and where each one stands: start, end, key."""
    spans: list[Span] = [(" ", "")]
    places: list[tuple[int, int, str]] = []
    at = 1
    for hint in hints:
        size = cell_len(hint.shown) + 1 + cell_len(hint.word)
        if at + (3 if places else 0) + size > width:
            continue
        spans += [("   " if places else "", ""), (hint.shown, "key"), (f" {hint.word}", "quiet")]
        at += 3 if places else 0
        places.append((at, at + size, hint.key))
        at += size
    return spans, places
