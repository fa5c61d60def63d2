"""Commands that are too long for one frame put their texts first, as blobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from flowide.domain.commands import Batch, Command
from flowide.errors import TooLarge

MOST = 600_000
"""Bytes of a command in a frame, which has at most 1 MiB."""
_LONG = 8192


async def slim(command: Command[Any], put_blob: Callable[[bytes], Awaitable[str]]) -> Command[Any]:
    """The command, with long texts as blobs when it is too long; always the same way.

    Raises:
        TooLarge: It is too long even so.
    """
    if _weight(command) <= MOST:
        return command
    if isinstance(command, Batch):
        slimmer: Command[Any] = Batch(cmds=[await _by_blob(each, put_blob) for each in command.cmds])
    else:
        slimmer = await _by_blob(command, put_blob)
    if _weight(slimmer) > MOST:
        raise TooLarge(
            f"{command.wire_name()} is too long to be sent", hint=f"The most is {MOST} bytes.", limit=MOST
        )
    return slimmer


async def _by_blob(command: Any, put_blob: Callable[[bytes], Awaitable[str]]) -> Any:
    text = getattr(command, "text", None)
    if not isinstance(text, str) or len(text) < _LONG or "blob" not in command.__struct_fields__:
        return command
    return replace(command, text=None, blob=await put_blob(text.encode()))


def _weight(command: Command[Any]) -> int:
    parts = command.cmds if isinstance(command, Batch) else [command]
    try:
        return sum(len(msgspec.json.encode(each)) for each in parts)
    except (TypeError, ValueError, RecursionError):
        return 0  # refused further on, with the reason
