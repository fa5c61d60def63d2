"""Ranking a list by what was typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def ranked(typed: str, entries: Sequence[T], words: Callable[[T], tuple[str, str]]) -> list[T]:
    """The entries that fit, best first: all words in the title, then in the help, then letters in order."""
    wanted = typed.casefold().split()
    if not wanted:
        return list(entries)
    found: list[tuple[int, int, T]] = []
    for at, entry in enumerate(entries):
        title, help = (part.casefold() for part in words(entry))
        if all(word in title for word in wanted):
            merit = 0 if title.startswith(wanted[0]) else 1
        elif all(word in f"{title} {help}" for word in wanted):
            merit = 2
        elif _in_order("".join(wanted), title):
            merit = 3
        else:
            continue
        found.append((merit, at, entry))
    return [entry for _, _, entry in sorted(found, key=lambda each: each[:2])]


def _in_order(letters: str, text: str) -> bool:
    """Whether the letters occur in a text in this order."""
    rest = iter(text)
    return all(letter in rest for letter in letters)
