"""Agents with a model of the fault server, and what they answer."""

from __future__ import annotations

import os
from contextlib import aclosing
from typing import Any

from flowide.agents.api import Delta, Finished, Message, Request
from flowide.agents.definition import AgentDefinition
from flowide.agents.model import ModelBackend
from flowide.agents.worker.client import ModelWorker

KEY = "sk-the-key-of-this-test-0123456789"
ENV = {**os.environ, "TEST_API_KEY": KEY}
SYSTEM = Message("system", "You are Edwin.")


def backend(server_url: str, model: str, worker: ModelWorker | None = None, **settings: Any) -> ModelBackend:
    """An agent that a model of the server answers for; `settings` go into its `[models]` table."""
    table = {"model": model, "api_base": server_url, "key_env": "TEST_API_KEY", **settings}
    return ModelBackend(
        AgentDefinition(handle="edwin", name="Edwin", model="alias"),
        models={"alias": table},
        env=ENV,
        worker=worker,
        first_wait_s=0.001,
    )


def request(said: str = "What are locks?", **more: Any) -> Request:
    """A request; its deadline is far off unless given."""
    return Request(agent="edwin", purpose="vary", messages=[SYSTEM, Message("user", said)], **more)


async def deltas(agent: ModelBackend, asked: Request | None = None) -> list[Delta]:
    """All that comes."""
    async with aclosing(agent.stream(asked or request())) as stream:  # type: ignore[type-var]
        return [delta async for delta in stream]


async def finished(agent: ModelBackend, asked: Request | None = None) -> Finished:
    """The end of an answer that ends well."""
    last = (await deltas(agent, asked))[-1]
    assert isinstance(last, Finished)
    return last
