"""A hub with a space, a proxy in front of it, and people who come through the proxy or directly."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.space.remote.opening import open_remote
from flowide.space.remote.space import RemoteSpace
from tests.space.remote.proxy import Proxy
from tests.space.remote.served import Served

Opener = Callable[..., Awaitable[RemoteSpace]]


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub for many spaces."""
    with Served(str(tmp_path_factory.mktemp("hub"))) as served:
        yield served


@pytest.fixture
def proxy(hub: Served) -> Iterator[Proxy]:
    """What ana's connections go through."""
    with Proxy(hub.port) as made:
        yield made


@pytest.fixture
def name(hub: Served) -> str:
    """A new space."""
    made = uuid.uuid4().hex
    hub.make(made)
    return made


@pytest.fixture
async def opened(hub: Served, proxy: Proxy, name: str, tmp_path: Path) -> AsyncIterator[Opener]:
    """Opens the space as somebody: ana through the proxy, others directly; each on a machine of their own."""
    spaces: list[RemoteSpace] = []

    async def open_as(handle: str, *, machine: str | None = None) -> RemoteSpace:
        seat = hub.seat(name, handle, port=proxy.port if handle == "ana" else None)
        folder = tmp_path / (machine or handle) / ".flowide"
        space = await open_remote(seat.url, actor=Actor(handle), folder=folder, seat=seat)
        spaces.append(space)
        return space

    yield open_as
    for space in spaces:
        await space.close()


@pytest.fixture
async def ana(opened: Opener) -> RemoteSpace:
    return await opened("ana")


@pytest.fixture
async def rod(opened: Opener, ana: RemoteSpace) -> RemoteSpace:
    return await opened("rod")


@pytest.fixture
async def doc(ana: RemoteSpace) -> str:
    """Id of an artifact `doc.md` at version 1."""
    return (await ana.execute(c.CreateArtifact(path="doc.md", kind="document", text="one\n"))).ok.artifact
