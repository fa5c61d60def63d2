"""A tool call of a model is whole or it is a failure; pictures and tools reach models that take them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from flowide.agents.api import Image, Message, Request, Retrying, Tool, ToolCall
from flowide.agents.model import INCOMPLETE_ATTEMPTS
from flowide.agents.worker.client import ModelWorker
from flowide.errors import Incomplete
from tests.agents import tool_behaviours
from tests.agents.asking import ENV, SYSTEM, backend, deltas, finished
from tests.agents.fault_server import TEXT, FaultServer

assert tool_behaviours  # imported for what it adds to the server
pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOK = Tool(
    "files__look",
    "Looks at a file.",
    {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
)
NOW = Tool("clock__now", "The time.", {"type": "object", "properties": {}})
PICTURE = Image("image/png", b"\x89PNG\r\n\x1a\nnot really")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker() -> AsyncIterator[ModelWorker]:
    made = ModelWorker(ENV)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as made:
        yield made


def offering(said: str, *more: Message, **rest: Any) -> Request:
    """A request with two tools."""
    messages = [SYSTEM, Message("user", said), *more]
    return Request(agent="edwin", purpose="vary", messages=messages, tools=[LOOK, NOW], **rest)


@pytest.mark.parametrize("model", ["tool", "tool-same-index", "tool-whole"])
async def test_tool_calls_come_whole_and_in_order(
    server: FaultServer, worker: ModelWorker, model: str
) -> None:
    asked = offering('CALL files__look {"path": "änd.md"}\nCALL files__look {"path": "b.md"}')

    answer = await finished(backend(server.url, model, worker), asked)

    assert [(call.name, call.arguments) for call in answer.tool_calls] == [
        ("files__look", {"path": "änd.md"}),
        ("files__look", {"path": "b.md"}),
    ]
    assert len({call.id for call in answer.tool_calls}) == 2


async def test_a_tool_without_arguments_may_be_asked_for_with_none(
    server: FaultServer, worker: ModelWorker
) -> None:
    answer = await finished(backend(server.url, "tool-none", worker), offering("CALL clock__now {}"))

    assert [call.arguments for call in answer.tool_calls] == [{}]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("tool-cut", "cut short"),
        ("tool-none", "are missing"),
        ("tool-list", "no object"),
        ("tool-truncated", "before the provider said"),
        ("tool-many", "40 tools at once"),
    ],
)
async def test_a_tool_call_that_is_not_whole_is_asked_for_again_and_never_taken(
    server: FaultServer, worker: ModelWorker, model: str, said: str
) -> None:
    asked = offering('CALL files__look {"path": "a.md"}')

    with pytest.raises(Incomplete, match=said):
        await deltas(backend(server.url, model, worker), asked)

    assert len(server.requests) == INCOMPLETE_ATTEMPTS


async def test_a_cut_tool_call_is_made_good_by_the_next_attempt(
    server: FaultServer, worker: ModelWorker
) -> None:
    answer = await finished(
        backend(server.url, "tool-cut+tool", worker), offering('CALL files__look {"path": "a.md"}')
    )

    assert (answer.attempts, [call.arguments for call in answer.tool_calls]) == (2, [{"path": "a.md"}])


async def test_a_tool_call_at_the_limit_of_tokens_is_incomplete(
    server: FaultServer, worker: ModelWorker
) -> None:
    with pytest.raises(Incomplete, match="cut off"):
        await deltas(backend(server.url, "tool-length", worker), offering("CALL clock__now {}"))


async def test_endless_arguments_are_given_up(server: FaultServer, worker: ModelWorker) -> None:
    with pytest.raises(Incomplete, match="more than"):
        await deltas(backend(server.url, "tool-endless", worker), offering("CALL clock__now {}"))

    async with asyncio.timeout(30):
        await server.disconnected.wait()


async def test_results_go_back_as_the_answers_to_their_calls(
    server: FaultServer, worker: ModelWorker
) -> None:
    call = ToolCall("call_0", "files__look", {"path": "a.md"})
    asked = offering(
        "Look.",
        Message("assistant", "", tool_calls=[call]),
        Message("tool", "it is empty", tool_call="call_0"),
    )

    answer = await finished(backend(server.url, "tool", worker), asked)

    assert answer.text == "It said: it is empty\n"
    sent = server.requests[0]
    assert sent["tools"][0]["function"] == {
        "name": "files__look",
        "description": "Looks at a file.",
        "parameters": LOOK.parameters,
    }
    assert sent["messages"][-2]["tool_calls"][0]["function"] == {
        "name": "files__look",
        "arguments": '{"path": "a.md"}',
    }
    assert sent["messages"][-1]["tool_call_id"] == "call_0"


async def test_with_tools_and_a_schema_the_end_is_still_held_against_the_schema(
    server: FaultServer, worker: ModelWorker
) -> None:
    schema = {"type": "object", "properties": {"pick": {"type": "integer"}}, "required": ["pick"]}
    told = Message("tool", "four", tool_call="call_0")
    asking = Message("assistant", "", tool_calls=[ToolCall("call_0", "clock__now", {})])
    agent = backend(server.url, "tool-json", worker)

    first = await finished(agent, offering("CALL clock__now {}", json_schema=schema))
    last = await finished(agent, offering("CALL clock__now {}", asking, told, json_schema=schema))

    assert ([call.name for call in first.tool_calls], last.text) == (["clock__now"], '{"pick": 4}')


async def test_a_model_without_tools_answers_without_and_says_so(
    server: FaultServer, worker: ModelWorker
) -> None:
    said = await deltas(backend(server.url, "no-tools", worker), offering("Hello"))

    assert "does not support tools" in next(each.why for each in said if isinstance(each, Retrying))
    assert "tools" not in server.requests[1]


async def test_a_picture_reaches_the_model(server: FaultServer, worker: ModelWorker) -> None:
    asked = Request(
        agent="edwin", purpose="critique", messages=[Message("user", "How is it?", images=[PICTURE])]
    )

    await finished(backend(server.url, "ok", worker), asked)

    words, shown = server.requests[0]["messages"][0]["content"]
    assert words == {"type": "text", "text": "How is it?"}
    assert shown["image_url"]["url"] == "data:image/png;base64," + base64.b64encode(PICTURE.data).decode()


async def test_a_model_that_takes_no_pictures_gets_the_words_and_is_told(
    server: FaultServer, worker: ModelWorker
) -> None:
    asked = Request(
        agent="edwin", purpose="critique", messages=[Message("user", "How is it?", images=[PICTURE])]
    )

    answer = await finished(backend(server.url, "no-images", worker), asked)

    assert answer.text.startswith("How is it?\n[a picture is left out")
    assert answer.attempts == 2
    assert TEXT not in answer.text
