"""Which questions of an agent are about the tools of the space: each says it in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowide.agents.acp.desk import SERVER, SpaceTools
from flowide.patterns import lazy

_TITLES = (
    lazy(rf"mcp__{SERVER}__(\w+)"),  # Claude Code
    lazy(rf"(\w+) \({SERVER} MCP Server\)"),  # Gemini CLI
)
_MESSAGE = lazy(rf'Allow the {SERVER} MCP server to run tool "(\w+)"\?')
"""Of Codex, whose title is the same for all servers."""


def tool_of(call: Any, told: Mapping[str, Any], tools: SpaceTools | None) -> str:
    """The tool of the space that a question is about, by what the agent says of the call; empty = it is none.

    `told` is what is known of the call: a command, or what changes files, is none, whatever its title is.
    """
    if (
        tools is None
        or told.get("command")
        or told.get("paths")
        or told.get("diff")
        or told["kind"] not in _KINDS
    ):
        return ""
    tries = [pattern.fullmatch(call.title or "") for pattern in _TITLES]
    raw = call.raw_input
    if isinstance(raw, dict) and raw.get("server_name") == SERVER and isinstance(raw.get("request"), dict):
        tries.append(_MESSAGE.fullmatch(str(raw["request"].get("message"))))
    return next((found[1] for found in tries if found is not None and found[1] in tools.names), "")


_KINDS = frozenset({"other", "read", "search", "think"})
