"""What the benchmarks of the hub share: the hub as a process, a small server beside it, and lines to both."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import Skipped
from flowide.space.keys import grant_token

ROOT = Path(__file__).parents[1]


@contextlib.contextmanager
def process(*args: str) -> Iterator[str]:
    """A server that prints its address as the last word of its first line; stopped at the end.

    Raises:
        Skipped: It does not start.
    """
    started = subprocess.Popen(
        [sys.executable, *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
        env={
            **os.environ, "PYTHONPATH": str(ROOT), "FLOWIDE_HUB_STREAMS": "2000", "FLOWIDE_HUB_CONNECTIONS": "5000",
        },
    )  # fmt: skip
    assert started.stdout is not None
    try:
        said = started.stdout.readline().split()
        if not said:
            raise Skipped("the server does not start: it needs flowide[server]")
        yield said[-1]
    finally:
        started.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(10)
        started.kill()
        started.stdout.close()


@contextlib.contextmanager
def hub(database: str) -> Iterator[tuple[str, str]]:
    """A hub with one space `bench`: its stream's address, and a token."""
    token = grant_token(database, "bench", "ana", role=None, device="bench").token
    with process("-m", "flowide", "serve", "--database", database, "--port", "0") as url:
        yield f"{url}/v1/spaces/bench/stream?after=0&chain=", token


class Line(asyncio.Protocol):
    """A WebSocket that costs as little as possible; frames are counted, and those that are waited for are kept."""

    transport: asyncio.Transport

    def __init__(self, path: str, headers: dict[str, str]) -> None:
        self._ask = path, headers
        self._buffer = bytearray()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.frames = 0
        self.last_at = 0.0
        """When the newest frame came."""
        self.found_at = 0.0
        """When the newest frame came that was waited for."""
        self._waiting: list[tuple[bytes, asyncio.Future[bytes]]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        path, headers = self._ask
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Protocol: flowide.1",
            *[f"{name}: {value}" for name, value in headers.items()],
        ]  # fmt: skip
        self.transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.opened.done():
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            assert self._buffer.startswith(b"HTTP/1.1 101"), bytes(self._buffer[:200])
            del self._buffer[: end + 4]
            self.opened.set_result(None)
        while (frame := self._frame()) is not None:
            self.frames += 1
            self.last_at = time.perf_counter()
            for start, waiting in self._waiting:
                if frame.startswith(start) and not waiting.done():
                    self.found_at = self.last_at
                    waiting.set_result(frame)
            self._waiting = [each for each in self._waiting if not each[1].done()]

    def _frame(self) -> bytes | None:
        got = self._buffer
        if len(got) < 2:
            return None
        size, at = got[1], 2
        if size > 125:
            at = 4 if size == 126 else 10
            size = int.from_bytes(got[2:at], "big")
        if len(got) < at + size:
            return None
        frame = bytes(got[at : at + size])
        del got[: at + size]
        return frame

    def frame_that_starts(self, start: bytes) -> asyncio.Future[bytes]:
        """The next frame that begins with these bytes."""
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append((start, waiting))
        return waiting

    def send(self, text: bytes) -> None:
        """Send a frame, masked with zeros."""
        size = len(text)
        if size < 126:
            head = bytes([0x81, 0x80 | size])
        elif size < 65536:
            head = b"\x81\xfe" + size.to_bytes(2, "big")
        else:
            head = b"\x81\xff" + size.to_bytes(8, "big")
        self.transport.write(head + b"\0\0\0\0" + text)

    async def ask(self, frame: Any, start: bytes) -> Any:
        """Send JSON, wait for a frame that begins so; what it says."""
        answer = self.frame_that_starts(start)
        self.send(json.dumps(frame).encode())
        return json.loads(await answer)

    def close(self) -> None:
        self.transport.abort()


async def connect(url: str, token: str = "") -> Line:
    """A line to a server."""
    where = urlsplit(url)
    path = f"{where.path or '/'}{'?' + where.query if where.query else ''}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    _, line = await asyncio.get_running_loop().create_connection(
        lambda: Line(path, headers), str(where.hostname), where.port or 80
    )
    await line.opened
    return line
