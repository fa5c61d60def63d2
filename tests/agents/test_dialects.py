"""Tools and pictures in the dialects of Anthropic, Gemini and Ollama: whole, or a failure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from flowide.agents.api import Image, Message, Request, ToolCall
from flowide.agents.definition import AgentDefinition
from flowide.agents.model import ModelBackend
from flowide.agents.worker.client import ModelWorker
from flowide.errors import FlowError, Incomplete
from tests.agents.asking import ENV, deltas, finished
from tests.agents.dialects import ARGUMENTS, NAME, DialectServer
from tests.agents.test_tool_calls import LOOK, PICTURE

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROVIDERS = ["anthropic", "gemini", "ollama"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker() -> AsyncIterator[ModelWorker]:
    made = ModelWorker(ENV)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[DialectServer]:
    async with DialectServer() as made:
        yield made


def backend(server: DialectServer, worker: ModelWorker, provider: str, model: str) -> ModelBackend:
    table = {"model": f"{provider}/{model}", "api_base": server.url, "key_env": "TEST_API_KEY"}
    return ModelBackend(
        AgentDefinition(handle="edwin", name="Edwin", model="alias"),
        models={"alias": table},
        env=ENV,
        worker=worker,
        first_wait_s=0.001,
    )


def asked(*more: Message, images: list[Image] | None = None) -> Request:
    first = Message("user", "Look.", images=images or [])
    return Request(agent="edwin", purpose="vary", messages=[first, *more], tools=[LOOK])


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_tool_call_comes_whole(server: DialectServer, worker: ModelWorker, provider: str) -> None:
    answer = await finished(backend(server, worker, provider, "tool"), asked())

    assert [(call.name, call.arguments) for call in answer.tool_calls] == [(NAME, ARGUMENTS)]
    assert "files__look" in str(server.requests[0][1]["tools"])


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_tool_call_that_is_cut_short_is_never_taken(
    server: DialectServer, worker: ModelWorker, provider: str
) -> None:
    with pytest.raises((Incomplete, FlowError)) as raised:
        await deltas(backend(server, worker, provider, "tool-cut"), asked())

    assert raised.value.exit_code == 8


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_result_goes_back_and_the_answer_comes(
    server: DialectServer, worker: ModelWorker, provider: str
) -> None:
    call = ToolCall("call_1", NAME, dict(ARGUMENTS))
    told = [
        Message("assistant", "", tool_calls=[call]),
        Message("tool", "it is empty", tool_call="call_1"),
    ]

    answer = await finished(backend(server, worker, provider, "tool"), asked(*told))

    assert (answer.text, answer.tool_calls) == ("It said: it is empty", [])


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_picture_reaches_the_model(server: DialectServer, worker: ModelWorker, provider: str) -> None:
    await finished(backend(server, worker, provider, "tool"), asked(images=[PICTURE]))

    sent: Any = str(server.requests[0][1])
    assert "iVBORw0KGgpub3QgcmVhbGx5" in sent


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_text_is_taken_with_its_end_only(
    server: DialectServer, worker: ModelWorker, provider: str
) -> None:
    answer = await finished(backend(server, worker, provider, "text"), asked())
    with pytest.raises(Incomplete, match="before the provider said it was done"):
        await deltas(backend(server, worker, provider, "text-cut"), asked())
    with pytest.raises(Incomplete, match="cut off"):
        await deltas(backend(server, worker, provider, "text-length"), asked())

    assert (answer.text, answer.usage.output_tokens > 0) == ("It said: half of it", True)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("how", ["text-error", "text-half"])
async def test_what_breaks_off_after_its_first_words_is_no_answer(
    server: DialectServer, worker: ModelWorker, provider: str, how: str
) -> None:
    with pytest.raises(FlowError) as raised:
        await deltas(backend(server, worker, provider, how), asked())

    assert raised.value.exit_code == 8
    assert "mistake in FlowIDE" not in raised.value.message


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("how", ["text-noisy", "text-bare", "text-comments"])
async def test_what_is_unusual_but_whole_is_taken(
    server: DialectServer, worker: ModelWorker, provider: str, how: str
) -> None:
    answer = await finished(backend(server, worker, provider, how), asked())

    assert (answer.text, answer.usage.output_tokens > 0) == ("It said: half of it", True)


async def test_an_ollama_is_asked_for_the_answer_only(server: DialectServer, worker: ModelWorker) -> None:
    """litellm asks it about the model too, for its log, and holds up every other call meanwhile."""
    await finished(backend(server, worker, "ollama", "text"), asked())
    await finished(backend(server, worker, "ollama", "tool"), asked())

    assert [path for path, *_ in server.requests] == ["/api/chat", "/api/chat"]
