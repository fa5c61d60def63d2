"""Workspaces on disk, and ways to harm them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from flowide.domain.actors import Actor
from flowide.space.local import LocalSpace
from flowide.space.queries import Search
from flowide.store.explained import sqlite3
from flowide.store.opening import Machine
from flowide.store.sqlite import SqliteStore
from tests.contract.sample import live_a_little

ANA = Actor("ana")
Open = Callable[..., LocalSpace]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the workspace is, or will be."""
    return tmp_path / "workspace.db"


@pytest.fixture
async def open_here(database: Path) -> AsyncIterator[Open]:
    """Opens the workspace as often as it is called; all are closed in the end."""
    opened: list[LocalSpace] = []

    def open_it(machine: Machine | None = None, actor: Actor = ANA) -> LocalSpace:
        space = LocalSpace(SqliteStore(database, machine=machine), actor)
        opened.append(space)
        return space

    yield open_it
    for space in opened:
        await space.close()


@pytest.fixture
async def lived_in(database: Path) -> Path:
    """A closed workspace in which a bit of everything has happened."""
    space = LocalSpace(SqliteStore(database), ANA)
    await live_a_little(space)
    await space.read(Search("words"))
    await space.close()
    return database


def sql(database: Path, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Run one statement on a closed workspace, past all rules."""
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        found: list[tuple[Any, ...]] = connection.execute(statement, parameters).fetchall()
        return found
    finally:
        connection.close()
