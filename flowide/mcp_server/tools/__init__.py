"""The tools, by what they are about."""

from __future__ import annotations

from typing import Any

from flowide.mcp_server.tool import Tool
from flowide.mcp_server.tools import drafts, editing, files, reading, running, splicing, talking, varying

TOOLS: dict[str, Tool[Any]] = {
    tool.name: tool
    for tools in (
        reading.TOOLS,
        editing.TOOLS,
        files.TOOLS,
        drafts.TOOLS,
        splicing.TOOLS,
        talking.TOOLS,
        varying.TOOLS,
        running.TOOLS,
    )
    for tool in tools
}
"""By name, in the order in which they are listed."""
