"""Whether the person looks at the app, as far as the terminal tells."""

from __future__ import annotations

import time

from textual import events

AWAY_S = 60.0
"""Seconds without a key after which a person is taken to look elsewhere, where the terminal does not tell."""


class Attention:
    """Knows from events of the app whether somebody is there."""

    def __init__(self) -> None:
        self._touched = time.monotonic()
        """When a key or the mouse was used last."""
        self._focused: bool | None = None
        """Whether the terminal has the focus; None = it has not told yet."""

    def note(self, event: events.Event) -> None:
        """Something happened that the app is told of."""
        if isinstance(event, events.Key | events.MouseEvent):
            self._touched = time.monotonic()
            if self._focused is False and isinstance(event, events.Key | events.MouseDown):
                self._focused = True  # a terminal that tells of it late
        elif isinstance(event, events.AppFocus | events.AppBlur):
            self._focused = isinstance(event, events.AppFocus)

    @property
    def is_elsewhere(self) -> bool:
        """Whether the person looks elsewhere."""
        if self._focused is not None:
            return not self._focused
        return time.monotonic() - self._touched > AWAY_S
