"""How many calls may be in flight at one provider, counted over everything that an event loop runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakKeyDictionary

from flowide.agents.models import Target

_PLAIN = {"ollama_chat": "ollama"}
"""Names of providers as people write them."""
_taken: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], asyncio.Semaphore]] = (
    WeakKeyDictionary()
)


def provider_of(target: Target) -> str:
    """The provider as people write it."""
    head = target.model.partition("/")[0]
    return _PLAIN.get(head, head)


@asynccontextmanager
async def slot(target: Target, limits: Mapping[str, int]) -> AsyncIterator[None]:
    """Wait for one of the calls that the alias and the provider allow; without a bound at once."""
    async with AsyncExitStack() as stack:
        for name in dict.fromkeys((target.shown, provider_of(target))):
            if name in limits:
                await stack.enter_async_context(_semaphore(name, limits[name]))
        yield


def _semaphore(name: str, most: int) -> asyncio.Semaphore:
    here = _taken.setdefault(asyncio.get_running_loop(), {})
    return here.setdefault((name, most), asyncio.Semaphore(most))
