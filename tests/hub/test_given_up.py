"""What a client gave up in the middle ends all the same, and holds nobody up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor, Caller
from flowide.domain.ids import uuid7
from flowide.domain.policy import Policy
from flowide.errors import FlowError
from flowide.hub.space import HubSpace
from flowide.space.api import Reply
from flowide.space.keys import grant_token
from flowide.store.by_url import open_store


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(params=["sqlite", "postgres"])
async def space(
    request: pytest.FixtureRequest, tmp_path: Path, threads: ThreadPoolExecutor
) -> AsyncIterator[HubSpace]:
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        database = server.url(server.new_database())
    else:
        database = str(tmp_path)
    grant_token(database, "shop", "ana", role="owner", device="pc")
    opened = HubSpace("shop", open_store(database, "shop"), Policy(), threads)
    yield opened
    await asyncio.to_thread(opened.close)


def _stay_busy(busy: threading.Event, go: threading.Event) -> None:
    busy.set()
    go.wait(60)


async def make(space: HubSpace, path: str) -> Reply[object] | FlowError:
    return await space.execute(c.CreateArtifact(path=path, text=""), Caller(Actor("ana"), "pc", uuid7()))


async def test_a_transaction_that_was_given_up_ends_and_is_told(space: HubSpace) -> None:
    await make(space, "before.md")
    space._commits_s = 1.0  # a slow disk: commits are waited for in a thread
    writer = space._writer if space.store.threads is None else space.store.threads.write
    busy, go = threading.Event(), threading.Event()
    writer.submit(_stay_busy, busy, go)
    await asyncio.to_thread(busy.wait, 60)
    head = (await space.position()).seq if space.store.threads is not None else 0
    space.woken.clear()

    given_up = asyncio.create_task(make(space, "given-up.md"))
    await asyncio.sleep(0.1)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    go.set()

    async with asyncio.timeout(60):
        await space.woken.wait()
        done = await make(space, "after.md")
    assert isinstance(done, Reply) and done.seq > head
    assert space.written_after(0) is None, "it is to be read again"
