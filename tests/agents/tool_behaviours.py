"""What the fault server does when it is offered tools; importing this module adds it.

`tool` asks for what the last words of the user name, as `CALL name {json}`, one a line; when it is given results it
says what they were.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from tests.agents.fault_server import Answer, _behaviour

PATTERN = re.compile(r"CALL (\S+) (.*)")


def wanted(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and arguments of the tools that the last words of the user ask for, and which are offered."""
    users = [m["content"] for m in body["messages"] if m["role"] == "user"]
    texts = [said if isinstance(said, str) else said[0]["text"] for said in users]
    text = next((text for text in reversed(texts) if PATTERN.search(text)), "")
    offered = {tool["function"]["name"] for tool in body.get("tools", [])}
    return [found for found in PATTERN.findall(text) if found[0] in offered or found[0] == "nosuch"]


def results(body: dict[str, Any]) -> list[str]:
    """What the tools answered that were asked for last."""
    found = []
    for message in reversed(body["messages"]):
        if message["role"] == "tool":
            found.append(str(message["content"]))
        elif found:
            break
    return found[::-1]


async def _ask(answer: Answer, calls: list[tuple[str, str]], *, step: int = 7) -> None:
    for at, (name, arguments) in enumerate(calls):
        head = {
            "index": at,
            "id": f"call_{at}",
            "type": "function",
            "function": {"name": name, "arguments": ""},
        }
        await answer.delta(tool_calls=[head])
        for start in range(0, len(arguments), step):
            part = {"index": at, "function": {"arguments": arguments[start : start + step]}}
            await answer.delta(tool_calls=[part])


@_behaviour("tool")
async def _tool(answer: Answer) -> None:
    await answer.begin()
    if said := results(answer.body):
        await answer.words([f"It said: {each}\n" for each in said])
        await answer.finish()
        return
    await answer.delta(content="Let me see. ")
    await _ask(answer, wanted(answer.body))
    await answer.finish("tool_calls")


@_behaviour("tool-always")
async def _tool_always(answer: Answer) -> None:
    """Never content with a result."""
    await answer.begin()
    await _ask(answer, wanted(answer.body))
    await answer.finish("tool_calls")


@_behaviour("tool-cut")
async def _tool_cut(answer: Answer) -> None:
    """Arguments without their end, and a regular end of the answer."""
    await answer.begin()
    await _ask(answer, [(name, arguments[:-4]) for name, arguments in wanted(answer.body)])
    await answer.finish("tool_calls")


@_behaviour("tool-none")
async def _tool_none(answer: Answer) -> None:
    """No arguments at all."""
    await answer.begin()
    await _ask(answer, [(name, "") for name, _ in wanted(answer.body)])
    await answer.finish("tool_calls")


@_behaviour("tool-list")
async def _tool_list(answer: Answer) -> None:
    """Arguments that are no object."""
    await answer.begin()
    await _ask(answer, [(name, "[1]") for name, _ in wanted(answer.body)])
    await answer.finish("tool_calls")


@_behaviour("tool-truncated")
async def _tool_truncated(answer: Answer) -> None:
    """The stream ends regularly, before the model said that it was done."""
    await answer.begin()
    await _ask(answer, wanted(answer.body))
    await answer.end()


@_behaviour("tool-length")
async def _tool_length(answer: Answer) -> None:
    await answer.begin()
    await _ask(answer, wanted(answer.body))
    await answer.finish("length")


@_behaviour("tool-same-index")
async def _tool_same_index(answer: Answer) -> None:
    """Every call is whole, and the first."""
    await answer.begin()
    for at, (name, arguments) in enumerate(wanted(answer.body)):
        function = {"name": name, "arguments": arguments}
        await answer.delta(
            tool_calls=[{"index": 0, "id": f"c{at}", "type": "function", "function": function}]
        )
    await answer.finish("tool_calls")


@_behaviour("tool-whole")
async def _tool_whole(answer: Answer) -> None:
    """A server that does not stream."""
    calls = [
        {"id": f"c{at}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for at, (name, arguments) in enumerate(wanted(answer.body))
    ]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
    await answer.status(200, {**whole, "choices": [choice], "usage": usage})


@_behaviour("tool-many")
async def _tool_many(answer: Answer) -> None:
    await answer.begin()
    await _ask(answer, wanted(answer.body) * 40)
    await answer.finish("tool_calls")


@_behaviour("tool-endless")
async def _tool_endless(answer: Answer) -> None:
    """Arguments that never end."""
    await answer.begin()
    name, _ = wanted(answer.body)[0]
    function = {"name": name, "arguments": '{"text": "'}
    await answer.delta(tool_calls=[{"index": 0, "id": "c", "type": "function", "function": function}])
    while True:
        part = {"index": 0, "function": {"arguments": "x" * 65536}}
        await answer.delta(tool_calls=[part])
        await asyncio.sleep(0)


@_behaviour("no-tools")
async def _no_tools(answer: Answer) -> None:
    if "tools" in answer.body:
        await answer.status(
            400, {"error": {"message": "This model does not support tools", "code": "invalid"}}
        )
        return
    await answer.begin()
    await answer.words()
    await answer.finish()


@_behaviour("no-images")
async def _no_images(answer: Answer) -> None:
    if any(not isinstance(message["content"], str) for message in answer.body["messages"]):
        said = "Invalid content type: image_url is only supported by vision models"
        await answer.status(400, {"error": {"message": said, "code": "invalid"}})
        return
    await answer.begin()
    await answer.words([answer.body["messages"][-1]["content"]])
    await answer.finish()


@_behaviour("tool-json")
async def _tool_json(answer: Answer) -> None:
    """Asks first; its answer is JSON."""
    await answer.begin()
    if results(answer.body):
        await answer.words([json.dumps({"pick": 4})])
        await answer.finish()
    else:
        await _ask(answer, wanted(answer.body))
        await answer.finish("tool_calls")
