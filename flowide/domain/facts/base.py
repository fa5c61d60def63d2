"""What every fact is."""

from __future__ import annotations

from functools import cache
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct


class Fact(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Data of one event. New fields get defaults, so that old logs stay readable."""

    @classmethod
    def event_type(cls) -> str:
        """The `type` of the event, e.g. `lock.acquired`."""
        return str(cls.__struct_config__.tag)

    def to_data(self) -> dict[str, Any]:
        """The event's `data`: builtins only."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        del data["type"]
        return data

    def is_plain(self) -> bool:
        """Whether the data holds nothing but texts, whole numbers, truth values and lists of them.

        Free fields (dicts, lists of dicts) may hold fractions, which JSON writers spell differently.
        """
        free = _free_fields(type(self))
        return not free or not any([getattr(self, name) for name in free])


@cache
def _free_fields(kind: type[Fact]) -> tuple[str, ...]:
    return tuple(name for name, hint in get_type_hints(kind).items() if "Any" in str(hint))
