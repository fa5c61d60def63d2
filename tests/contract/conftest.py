"""The spaces that must all keep the same promises. A new implementation is one more parameter."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import pytest

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.space.local import LocalSpace
from flowide.store.by_url import create_space, open_store
from flowide.store.sqlite import SqliteStore
from flowide.testing import ManualClock, MemorySpace
from tests.contract.wired import WiredSpace
from tests.postgres import Server
from tests.space.remote.served import Served

ANA = Actor("ana")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def postgres_url(postgres: Server) -> Iterator[str]:
    """A database for many spaces, whose connections stay open from one test to the next."""
    from flowide.store.postgres.database import Database

    kept = Database.of(postgres.url())
    yield postgres.url()
    kept.close()


@pytest.fixture(scope="session")
def hub_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub for many spaces."""
    with Served(str(tmp_path_factory.mktemp("hub"))) as served:
        yield served


@pytest.fixture(scope="session")
def hub_on_postgres(postgres: Server) -> Iterator[Served]:
    """A hub for many spaces, in a database of its own."""
    with Served(postgres.url()) as served:
        yield served


@pytest.fixture(params=["memory", "sqlite", "wired", "postgres", "remote", "remote-postgres"])
async def space(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[LocalSpace]:
    made: LocalSpace
    name = uuid.uuid4().hex
    hub: Served | None = None
    if request.param.startswith("remote"):
        hub = request.getfixturevalue(f"hub_on_{'postgres' if '-' in request.param else 'sqlite'}")
        made = cast("LocalSpace", await hub.open(name, tmp_path, clock))
    elif request.param == "memory":
        made = MemorySpace(ANA, clock=clock)
    elif request.param == "wired":
        made = WiredSpace(ANA, clock=clock)
    elif request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        create_space(url, name)
        made = LocalSpace(open_store(url, name), ANA, clock=clock)
    else:
        made = LocalSpace(SqliteStore(tmp_path / "workspace.db"), ANA, clock=clock)
    yield made
    await made.close()
    if hub is not None:
        hub.shut(name)


@pytest.fixture
async def start(space: LocalSpace) -> int:
    """Position of the log before the test: a hub's begins with its members."""
    return await space.head()


@pytest.fixture
async def doc(space: LocalSpace) -> str:
    """Id of an artifact `doc.md` at version 1."""
    return (await space.execute(c.CreateArtifact(path="doc.md", kind="document", text="one\n"))).ok.artifact
