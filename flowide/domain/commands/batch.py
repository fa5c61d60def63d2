"""Several commands at once."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flowide.domain.commands.base import Command


class Results(Struct, frozen=True):
    """The answers of a batch, in its order."""

    results: list[Any]


class Batch(Command[Results], frozen=True, kw_only=True, tag="batch"):
    """Commands that happen all together or not at all; at most 64, no batch inside."""

    cmds: list[Any]
    """`Command` values in process; `{"cmd", "args"}` objects on the wire."""
