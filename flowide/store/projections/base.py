"""What a fold answers, and what it may rely on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct

from flowide.domain import facts as f
from flowide.domain import rows as r
from flowide.domain.events import Event
from flowide.domain.view import View

R = TypeVar("R", bound=r.Row)


class Changes(Struct, frozen=True):
    """Rows to write and rows to remove (of those only the key counts)."""

    put: list[r.Row] = []
    drop: list[r.Row] = []


class BrokenLog(Exception):
    """An event refers to something no earlier event made; data: the seq."""


def must(view: View, event: Event, row: type[R], *key: Any) -> R:
    found = view.get(row, *key)
    if found is None:
        raise BrokenLog(f"event {event.seq} ({event.type}) refers to a missing {row.__name__} {key}")
    return found


Folds = dict[type[f.Fact], Callable[[View, Event, Any], Changes]]
"""What each event type changes."""
