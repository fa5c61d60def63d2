"""Rows that one transaction leaves for the next: a space on a hub is asked about the same few all day.

They hold as long as nobody else has written to the database, which SQLite tells for the price of a look at its header.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowide.domain.rows import Artifact, Lease, Lock, Member, Row, Token
from flowide.store.api import Position

_KINDS = frozenset([Artifact, Lease, Lock, Member, Token])
"""Small rows that nearly every command looks at."""
_MOST = 5_000
"""Rows of one space; past it all are forgotten."""
Key = tuple[type[Row], tuple[Any, ...]]


class Remembered:
    """What the last transaction of a connection knew when it was committed."""

    def __init__(self) -> None:
        self._version = -1
        self.rows: dict[Key, Row | None] = {}
        """By class and key; None = there is no such row."""
        self.position: Position | None = None
        """Where the log stood."""

    def check(self, version: int) -> None:
        """A transaction has begun, in which `PRAGMA data_version` is this: it changes with commits of others."""
        if version != self._version:
            self.forget()
            self._version = version

    def keep(self, seen: Mapping[Key, Row | None], position: Position | None) -> None:
        """A transaction was committed that saw or wrote these rows."""
        if len(self.rows) > _MOST:
            self.rows.clear()
        for place, row in seen.items():
            if place[0] in _KINDS:
                self.rows[place] = row
        if position is not None:
            self.position = position

    def forget(self) -> None:
        """Something was written in another way, or it is not known what was."""
        self.rows.clear()
        self.position = None
