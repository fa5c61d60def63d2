"""Makes the first call as quick as the later ones."""

from __future__ import annotations

import contextlib
import importlib
import json

import httpx
import openai

from flowide.agents.api import Message
from flowide.agents.worker.calls import attempt
from flowide.agents.worker.frames import Call, FromWorker

_SAID = {
    "id": "w",
    "model": "warm",
    "choices": [{"index": 0, "delta": {"content": "."}, "finish_reason": "stop"}],
}


async def warm_up() -> None:
    """Have litellm import and build what it does at a first call, without any network."""
    for needed_by_the_real_transport in ("anyio._backends._asyncio", "httpcore"):
        importlib.import_module(needed_by_the_real_transport)

    body = f"data: {json.dumps(_SAID)}\n\ndata: [DONE]\n\n"

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=body)

    async def ignore(_: FromWorker) -> None:
        pass

    transport = httpx.MockTransport(answer)
    call = Call(id=0, model="openai/warm", messages=[Message("user", ".")], api_base="http://warm.invalid/v1")
    with contextlib.suppress(Exception):  # a real call says what is wrong
        async with httpx.AsyncClient(transport=transport) as http:
            await attempt(
                call,
                ignore,
                client=openai.AsyncOpenAI(api_key="none", base_url=call.api_base, http_client=http),
            )
