"""Puts tool calls together that come in parts; one that is not whole is never taken for an empty one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from flowide.agents.api import Tool, ToolCall
from flowide.agents.worker.frames import valid_unicode
from flowide.errors import Incomplete

MOST = 32
"""Calls in one answer."""


class _Part(Struct):
    index: int
    id: str
    name: str
    arguments: str


class ToolCallParts:
    """Fed with the `tool_calls` of each chunk."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self.total = 0
        """Characters of arguments so far."""

    @property
    def some(self) -> bool:
        """Whether there is any."""
        return bool(self._parts)

    def add(self, deltas: Iterable[Any]) -> None:
        """Take what one chunk has; some servers count every call as the first, and tell them apart by id."""
        for at, delta in enumerate(deltas):
            index = getattr(delta, "index", None)
            index = at if index is None else index
            id = getattr(delta, "id", None) or ""
            function = getattr(delta, "function", None)
            name = getattr(function, "name", None) or ""
            arguments = getattr(function, "arguments", None) or ""
            if not isinstance(arguments, str):  # a server that sends the object itself
                arguments = json.dumps(arguments)
            part = next((each for each in reversed(self._parts) if each.index == index), None)
            if part is None or (id and part.id and id != part.id):
                part = _Part(index, "", "", "")
                self._parts.append(part)
            part.id = part.id or id
            part.name = part.name or name
            part.arguments += arguments
            self.total += len(arguments)

    def whole(self, offered: Sequence[Tool]) -> list[ToolCall]:
        """The calls.

        Raises:
            Incomplete: One of them has no name, or arguments that are cut short or no object.
        """
        if len(self._parts) > MOST:
            raise Incomplete(f"the reply asks for {len(self._parts)} tools at once; {MOST} are the most")
        needed = {tool.name: bool(tool.parameters.get("required")) for tool in offered}
        return [
            _whole(part, at, needs=needed.get(part.name, False)) for at, part in enumerate(self._parts, 1)
        ]


def _whole(part: _Part, at: int, *, needs: bool) -> ToolCall:
    if not part.name:
        raise Incomplete("the reply asks for a tool without a name")
    text = part.arguments.strip()
    if not text and not needs:  # OpenAI sends nothing for a tool without arguments
        text = "{}"
    try:
        arguments = json.loads(valid_unicode(json.dumps(json.loads(text), ensure_ascii=False)))
    except (ValueError, RecursionError):
        said = "are cut short or malformed" if text else "are missing"
        raise Incomplete(f"the arguments of the tool call {part.name[:100]} {said}") from None
    if not isinstance(arguments, dict):
        raise Incomplete(f"the arguments of the tool call {part.name[:100]} are no object")
    return ToolCall(valid_unicode(part.id) or f"call_{at}", valid_unicode(part.name), arguments)
