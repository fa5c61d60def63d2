"""What every fact is."""

from __future__ import annotations

from typing import Any

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
