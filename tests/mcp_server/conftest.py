"""A project, a person in its space, and agents that call tools: in process, or over the protocol."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import Implementation

from flowide.domain.actors import Actor
from flowide.errors import FlowError
from flowide.mcp_server.refusals import refusal
from flowide.mcp_server.session import Session
from flowide.mcp_server.tools import TOOLS
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space
from flowide.space.open import open_space

CACHE = "def get(key):\n    return None\n\n\ndef put(key):\n    return key\n"


class Agent:
    """Calls tools in this process, as the server does."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def call(self, name: str, **given: Any) -> dict[str, Any]:
        """The answer of a tool."""
        return await TOOLS[name].call(self.session, given)

    async def refused(self, name: str, **given: Any) -> dict[str, Any]:
        """The refusal of a tool, as the model gets it."""
        with pytest.raises(FlowError) as caught:
            await TOOLS[name].call(self.session, given)
        return refusal(caught.value)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a source file, a document and a picture."""
    made = tmp_path / "shop"
    made.mkdir()
    (made / "cache.py").write_text(CACHE)
    (made / "notes.md").write_text("# Notes\n\nOne.\n\n## More\n\nTwo.\n")
    (made / "dot.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    return made


@pytest.fixture
async def ana(root: Path) -> AsyncIterator[Space]:
    """The person."""
    space = await open_space(ProjectFolder.open(root).database, actor=Actor("ana"))
    yield space
    await space.close()


@pytest.fixture
def folder(root: Path) -> ProjectFolder:
    return ProjectFolder.open(root)


@pytest.fixture
async def agent(root: Path) -> AsyncIterator[Agent]:
    """An agent of ana's."""
    async with an_agent(root, "mara") as made:
        yield made


@pytest.fixture
async def other(root: Path) -> AsyncIterator[Agent]:
    """Another one, from another process."""
    async with an_agent(root, "edwin") as made:
        yield made


@asynccontextmanager
async def an_agent(root: Path, handle: str) -> AsyncIterator[Agent]:
    opened = ProjectFolder.open(root)
    space = await open_space(opened.database, actor=Actor("ana"))
    session = Session(opened, space, handle=handle)
    yield Agent(session)
    await session.close()
    await space.close()


@asynccontextmanager
async def client(
    root: Path, *args: str, name: str = "Test Client", env: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[Client]:
    """The real client of the library, with the real process."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "flowide", "mcp", "--project", str(root), *args],
        env=dict(os.environ) | (env or {}),
        cwd=root,
    )
    info = Implementation(name=name, version="1")
    async with Client(stdio_client(server), client_info=info, **options) as made:
        yield made


async def ok(made: Client, name: str, **given: Any) -> dict[str, Any]:
    """The answer of a tool over the protocol."""
    result = await made.call_tool(name, given)
    assert not result.is_error, result.structured_content
    answer: dict[str, Any] = result.structured_content
    return answer


async def no(made: Client, name: str, **given: Any) -> dict[str, Any]:
    """The refusal of a tool over the protocol."""
    result = await made.call_tool(name, given)
    assert result.is_error, result.structured_content
    refused: dict[str, Any] = result.structured_content
    return refused
