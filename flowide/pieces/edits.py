"""Edits of a base text, and the text they make."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from flowide.errors import Rejected


@dataclass(slots=True)
class Part:
    """A stretch of new text and what it is."""

    text: bytes
    note: object = None
    """Whatever the maker of the edit wants to find again."""


@dataclass(slots=True)
class Edit:
    """New text for a range of the base; an empty range is an insertion."""

    start: int
    end: int
    parts: list[Part] = field(default_factory=list)
    rank: int = 0
    """Order among edits of one place: imports come before pieces."""


@dataclass(slots=True)
class Placed:
    """Where a part came to stand."""

    part: Part
    start: int
    end: int
    base_start: int
    base_end: int


class Edited:
    """The text after all edits, and where everything went."""

    def __init__(self, base: bytes, edits: Sequence[Edit]) -> None:
        """Raises Rejected when two edits touch the same bytes."""
        self.placed: list[Placed] = []
        self._ends: list[int] = []
        self._shifts: list[int] = []
        out: list[bytes] = []
        at = size = 0
        for edit in sorted(edits, key=lambda edit: (edit.start, edit.end, edit.rank)):
            if edit.start < at:
                raise Rejected(
                    "two of the takes change the same place",
                    hint="Take them one after the other.",
                    offset=edit.start,
                )
            out.append(base[at : edit.start])
            size += edit.start - at
            for index, part in enumerate(edit.parts):
                gave_way = edit.start if index == 0 else edit.end
                self.placed.append(Placed(part, size, size + len(part.text), gave_way, edit.end))
                out.append(part.text)
                size += len(part.text)
            at = edit.end
            self._ends.append(edit.end)
            self._shifts.append(size - edit.end)
        out.append(base[at:])
        self.text = b"".join(out)

    def moved(self, offset: int) -> int:
        """Where an untouched offset of the base is now."""
        index = bisect_right(self._ends, offset) - 1
        return offset + (self._shifts[index] if index >= 0 else 0)
