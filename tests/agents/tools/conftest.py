"""Connections to the misbehaving server."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio

from flowide.agents.tools.connection import Connection
from flowide.agents.tools.servers import Server
from flowide.settings import McpServer

MISBEHAVING = str(Path(__file__).parent / "misbehaving.py")
SECRET = "sk-planted-0123456789abcdef"
Connect = Callable[..., Connection]


def server(*args: str, name: str = "bad", **spec: Any) -> Server:
    """The misbehaving server, as settings write it down."""
    told: dict[str, Any] = {"command": sys.executable, "args": [MISBEHAVING, *args], "timeout_s": 60.0}
    return Server(name=name, spec=McpServer(**(told | spec)), origin="user", source="config.toml")


@pytest_asyncio.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """Makes connections, in whose environment a key is; they are closed after the test."""
    made: list[Connection] = []

    def connection(
        *args: str, env: dict[str, str] | None = None, given: dict[str, str] | None = None, **spec: Any
    ) -> Connection:
        around = {**os.environ, "OPENAI_API_KEY": SECRET, **(env or {})}
        made.append(Connection(server(*args, env=given or {}, **spec), root=tmp_path, env=around))
        return made[-1]

    yield connection
    for each in made:
        await each.close()
