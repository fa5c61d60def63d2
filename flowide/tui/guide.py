"""The first-run guide; loads nothing of Textual."""

from __future__ import annotations

from msgspec import Struct


class Guide(Struct, frozen=True):
    """What the demo proposes to somebody who is here for the first time."""

    path: str
    """The file to start with."""
    brief: str
    """What to ask for."""
    checks: list[str]
    """Commands that check each variation."""
