"""Messages and tools as litellm wants them."""

from __future__ import annotations

import base64
import json
from typing import Any

from flowide.agents.api import Message, Tool

NO_PICTURE = "[a picture is left out here: this model takes none]"


def wire_message(message: Message, *, images: bool = True) -> dict[str, Any]:
    """A message in the OpenAI dialect; without `images` a line stands for each picture."""
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call, "content": message.content}
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        wire["content"] = message.content or None
        wire["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for call in message.tool_calls
        ]
    elif message.images and images:
        urls = (f"data:{each.mime};base64,{base64.b64encode(each.data).decode()}" for each in message.images)
        shown = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        wire["content"] = [{"type": "text", "text": message.content}, *shown]
    elif message.images:
        wire["content"] = "\n".join([message.content, *[NO_PICTURE] * len(message.images)])
    return wire


def wire_tool(tool: Tool) -> dict[str, Any]:
    """A tool in the OpenAI dialect."""
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
    }
