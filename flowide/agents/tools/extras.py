"""A server's resources and prompts as tools, so that agents and flows reach them under the same rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowide.text import one_line

READ, PROMPT = "read_resource", "get_prompt"
"""Names of these tools, unless the server has its own of the name."""
_LISTED = 40
"""Resources, and prompts, that the description names."""

READ_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"uri": {"type": "string"}},
    "required": ["uri"],
}
PROMPT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "arguments": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["name"],
}


def about_resources(resources: Sequence[dict[str, Any]]) -> str:
    """What the tool that reads them says of itself."""
    named = [f"{each['uri']} ({one_line(each['name'], 60)})" for each in resources[:_LISTED]]
    return f"Reads a resource of this server. There are: {'; '.join(named)}"


def about_prompts(prompts: Sequence[dict[str, Any]]) -> str:
    """What the tool that fills them in says of itself."""
    named = [
        f"{one_line(each['name'], 60)}({', '.join(one_line(a['name'], 30) for a in each['arguments'])})"
        for each in prompts[:_LISTED]
    ]
    return f"Gives a prompt of this server, filled in. There are: {'; '.join(named)}"
