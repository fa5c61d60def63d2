"""Databases on a real PostgreSQL, and spaces in them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flowide.domain.actors import Actor
from flowide.space.local import LocalSpace
from flowide.store.by_url import create_space
from flowide.store.postgres.database import Database
from flowide.store.postgres.store import PostgresStore
from tests.contract.sample import live_a_little
from tests.postgres import Server

ANA = Actor("ana")
ROOT = Path(__file__).parents[3]
Open = Callable[..., LocalSpace]


@pytest.fixture(scope="session")
def shared(postgres: Server) -> Iterator[str]:
    """The address of a database with tables, for tests that need just a space of their own."""
    kept = Database.of(postgres.url())
    yield postgres.url()
    kept.close()


@pytest.fixture
def own(postgres: Server) -> Iterator[str]:
    """The address of an empty database, for tests that change its tables."""
    name = postgres.new_database()
    yield postgres.url(name)
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Place:
    """A space in a database, opened as often as `open` is called."""

    url: str
    name: str = field(default_factory=lambda: f"s{uuid.uuid4().hex}")
    opened: list[LocalSpace] = field(default_factory=list)

    def open(self, actor: Actor = ANA) -> LocalSpace:
        """Open it once more."""
        space = LocalSpace(PostgresStore(self.url, self.name), actor)
        self.opened.append(space)
        return space


@pytest.fixture
async def place(shared: str) -> AsyncIterator[Place]:
    """A new space."""
    made = Place(shared)
    create_space(made.url, made.name)
    yield made
    for space in made.opened:
        await space.close()


@pytest.fixture
async def lived_in(own: str) -> AsyncIterator[Place]:
    """A space in a database of its own, in which a bit of everything has happened."""
    made = Place(own)
    create_space(made.url, made.name)
    space = made.open()
    await live_a_little(space)
    await space.close()
    yield made
    for space in made.opened:
        await space.close()
