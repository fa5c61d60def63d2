"""The space as tools for a coding agent in its turn: a door on loopback that a program inside of the cage carries to.

The agent cannot write to the workspace from its cage, so the tools are served here, by the process that drives the
run, in the same space and under the agent's own handle. What knows the library of the protocol is loaded when
somebody comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from flowide.agents.acp.desk import SpaceTools
from flowide.confinement.methods import python
from flowide.mcp_server.bridge import HOST, VARIABLE
from flowide.mcp_server.turn_rules import IN_TURN, TurnTerms
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space

MOST = 8
"""Connections at a time: an agent, its sub-agents, and those that it forgot to close."""
HELLO_S = 10.0
"""Seconds in which who comes must show the secret."""
_PROGRAM = "from flowide.mcp_server.bridge import main; main()"
_PART = 1 << 16
_NOWHERE = logging.NullHandler()


@asynccontextmanager
async def serve_turn(
    folder: ProjectFolder,
    space: Space,
    handle: str,
    copy: Path,
    may: Callable[[str], bool] = lambda tool: True,
) -> AsyncIterator[SpaceTools]:
    """Serve `space` to the agent `handle`, which works in the private copy, until the block is left.

    `may` says which of the tools it may use.

    Raises:
        OSError: Nothing can listen on loopback here.
    """
    secret = secrets.token_urlsafe(24)
    terms = TurnTerms(copy, frozenset(filter(may, IN_TURN)))
    door = _Door(folder, space, handle, terms, secret)
    listening = await asyncio.start_server(door.enter, HOST, 0, limit=_PART)
    try:
        port = listening.sockets[0].getsockname()[1]
        yield SpaceTools([*python(), _PROGRAM], {VARIABLE: f"{port}:{secret}"}, secret, frozenset(IN_TURN))
    finally:
        listening.close()
        await door.close()


class _Door:
    def __init__(
        self, folder: ProjectFolder, space: Space, handle: str, terms: TurnTerms, secret: str
    ) -> None:
        self._folder, self._space, self._handle, self._terms = folder, space, handle, terms
        self._secret = secret
        self._inside: set[asyncio.Task[None]] = set()

    async def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let somebody in who knows the secret, and serve them until they go."""
        task = asyncio.current_task()
        assert task is not None
        self._inside.add(task)
        try:
            if len(self._inside) <= MOST and await self._knows(reader):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the turn is over
        finally:
            self._inside.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def close(self) -> None:
        """Send everybody away."""
        for task in self._inside:
            task.cancel()
        if self._inside:
            await asyncio.wait(self._inside)

    async def _knows(self, reader: asyncio.StreamReader) -> bool:
        try:
            async with asyncio.timeout(HELLO_S):
                shown = await reader.readuntil(b"\n")
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return False
        return hmac.compare_digest(shown.strip(), self._secret.encode())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from flowide.mcp_server.server import serve_streams
        from flowide.mcp_server.wire import messages

        for name in ("mcp", "flowide.mcp"):  # what they log would be written into the terminal app
            logging.getLogger(name).addHandler(_NOWHERE)
        lines = _Lines(reader)

        async def write(line: bytes) -> None:
            writer.write(line + b"\n")
            await writer.drain()

        async with messages(lines.next, write) as (incoming, outgoing):
            await serve_streams(
                self._folder, self._space, incoming, outgoing, handle=self._handle, terms=self._terms
            )


class _Lines:
    """Lines of a connection, each bounded."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._rest = b""

    async def next(self) -> bytes | None:
        """The next line; None at the end."""
        from flowide.mcp_server.wire import MAX_LINE, TOO_LONG

        parts: list[bytes] = []
        size = 0
        while True:
            part, ended, self._rest = self._rest.partition(b"\n")
            size += len(part)
            if size <= MAX_LINE:
                parts.append(part)
            if ended:
                return b"".join(parts) if size <= MAX_LINE else TOO_LONG
            try:
                self._rest = await self._reader.read(_PART)
            except OSError:
                return None
            if not self._rest:
                return None
