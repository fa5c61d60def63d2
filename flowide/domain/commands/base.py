"""What every command is, and the limits of what one may carry."""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

Ok = TypeVar("Ok")


MAX_INLINE = 256 * 1024
"""Bytes of UTF-8 a command may carry inline."""


MAX_BLOB = 16 * 1024 * 1024
"""Bytes of one content."""


MIN_TTL_MS, MAX_TTL_MS, DEFAULT_TTL_MS = 500, 86_400_000, 30_000


class Command(Struct, Generic[Ok], frozen=True, kw_only=True, tag_field="cmd", forbid_unknown_fields=True):
    """A request to change a space; `Ok` is the type of its answer."""

    @classmethod
    def wire_name(cls) -> str:
        """The name on the wire, e.g. `lock.acquire`."""
        return str(cls.__struct_config__.tag)


class Done(Struct, frozen=True):
    """The answer of a command that has nothing more to say."""
