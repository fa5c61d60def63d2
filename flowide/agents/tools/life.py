"""A connection to a server from its start to its end, in a task of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from flowide.agents.tools.stdio import Ending
from flowide.errors import Unavailable
from flowide.settings import McpServer

if TYPE_CHECKING:
    from mcp.client import Client
    from mcp.client._transport import TransportStreams

CALL_S = 600.0
"""Seconds of one call, however much progress it tells of."""


class Life:
    """A connection from its start to its end, in a task of its own: what opens it has to close it."""

    def __init__(self, connected: tuple[Any, Ending], start_s: float) -> None:
        self._transport, self.ending = connected
        self._start_s = start_s
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._task is not None and not self._task.done() and not self.ending.why

    @property
    def client(self) -> Client:
        """The library's client. Only once it has started."""
        return self._ready.result()

    async def start(self) -> None:
        """Connect.

        Raises:
            TimeoutError, Exception: It did not answer, or wrongly.
        """
        self._task = asyncio.create_task(self._run())
        async with asyncio.timeout(self._start_s):
            await asyncio.shield(self._ready)

    async def close(self) -> None:
        """Disconnect; the server is gone when this returns."""
        if self._task is None:
            return
        self._closing.set()
        done, _ = await asyncio.wait({self._task}, timeout=10)
        if not done:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        _quiet()
        from mcp.client import Client
        from mcp.types import Implementation

        import flowide

        try:
            client = Client(
                self._transport,
                client_info=Implementation(name="flowide", version=flowide.__version__),
                read_timeout_seconds=self._start_s,
                cache=None,
            )
            entering = asyncio.current_task()
            assert entering is not None
            async with contextlib.AsyncExitStack() as stack:
                closing = asyncio.create_task(self._closing.wait())
                stack.callback(closing.cancel)
                closing.add_done_callback(lambda _: None if self._ready.done() else entering.cancel())
                entered = await stack.enter_async_context(client)
                self._ready.set_result(entered)
                await closing
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error if isinstance(error, Exception) else Unavailable("stopped"))
                self._ready.exception()  # told by start, if anybody still waits
            self.ending.why = self.ending.why or "the connection closed"
            if isinstance(error, asyncio.CancelledError) and not self._closing.is_set():
                raise


@contextlib.asynccontextmanager
async def http(spec: McpServer) -> AsyncIterator[TransportStreams]:
    """The way to a server that runs elsewhere."""
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    async with (
        create_mcp_http_client(headers=spec.headers) as http,
        streamable_http_client(spec.url, http_client=http) as streams,
    ):
        yield streams


def _quiet() -> None:
    """The library logs what servers do wrong, to wherever; here it is told by errors."""
    import logging

    for name in ("mcp", "client", "httpx2"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
