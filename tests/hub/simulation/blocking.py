"""HTTP of functions that run as in threads: the real client of the standard library, over the simulated network.

A function that waits for an answer is left, and called again from its beginning once the answer is here.
"""

from __future__ import annotations

import asyncio
import http.client
import io
from typing import Any

from flowide.space.remote.http import TIMEOUT_S
from tests.hub.simulation.loop import Job
from tests.hub.simulation.network import Network


class _Answer:
    """What `http.client` takes for a socket once it has asked."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


class SimulatedConnection(http.client.HTTPConnection):
    """Collects a request; its answer is asked of the job that runs."""

    def connect(self) -> None:
        self.sock = self
        self._sent = bytearray()

    def sendall(self, data: Any) -> None:
        """What `http.client` writes."""
        self._sent += data

    def getresponse(self) -> http.client.HTTPResponse:
        assert Job.current is not None
        sent = bytes(self._sent)
        self._sent.clear()
        self.sock = _Answer(Job.current.answer(sent))
        answer = super().getresponse()
        self.sock = self
        return answer

    def close(self) -> None:
        self.sock = None
        super().close()


class _Collecting(asyncio.Protocol):
    """Takes the bytes of an answer."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.heard.set()
        if _is_whole(self.data) and not self.over.done():
            self.over.set_result(None)

    def eof_received(self) -> None:
        self.connection_lost(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.heard.set()
        if not self.over.done():
            self.over.set_result(None)


def _is_whole(data: bytearray) -> bool:
    head, found, body = bytes(data).partition(b"\r\n\r\n")
    if not found:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return body.endswith(b"0\r\n\r\n")


async def fetch(network: Network, request: bytes) -> bytes:
    """The bytes of the answer; fewer when the connection broke meanwhile.

    Raises:
        OSError: There was none.
    """
    async with asyncio.timeout(TIMEOUT_S):
        socket, protocol = await network.connect(_Collecting)
        try:
            socket.write(request)
            await protocol.over
        finally:
            socket.abort()
    if not protocol.data:
        raise ConnectionResetError("the connection was lost before an answer")
    return bytes(protocol.data)
