"""A TCP proxy between client and hub that drops, halves, stalls and slows connections when it is told."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from concurrent.futures import Future


class Proxy:
    """Forwards to a port on loopback, in a thread of its own."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.refuse = False
        """Close new connections at once."""
        self.deaf = False
        """Forward nothing, and tell nobody: connections are half-open."""
        self.delay_s = 0.0
        """Before each piece is forwarded."""
        self.piece = 65536
        """Bytes forwarded at once."""
        self.cut_after: int | None = None
        """Close a connection after so many bytes in one direction, mostly in the middle of a frame; None = never."""
        self.connections = 0
        """How many there have been."""
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._port: Future[int] = Future()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=[self._serve()], daemon=True
        )

    def __enter__(self) -> Proxy:
        self._thread.start()
        self.port = self._port.result(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        self._loop.close()

    def drop(self) -> None:
        """Close all connections without a word."""
        self._loop.call_soon_threadsafe(self._drop)

    def away(self) -> None:
        """Drop all connections, and refuse new ones until `back`."""
        self.refuse = True
        self.drop()

    def back(self) -> None:
        """Forward again as usual."""
        self.refuse = self.deaf = False
        self.delay_s, self.piece, self.cut_after = 0.0, 65536, None

    def _drop(self) -> None:
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self._port.set_result(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        server.close()
        self._drop()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.refuse:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}
        pumps = [
            asyncio.create_task(self._pump(reader, back)),
            asyncio.create_task(self._pump(there, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for each in (writer, back):
                self._open.discard(each)
                each.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        sent = 0
        with contextlib.suppress(OSError):
            while data := await source.read(self.piece):
                while self.deaf:
                    await asyncio.sleep(0.05)
                if self.delay_s:
                    await asyncio.sleep(random.uniform(0, 2 * self.delay_s))
                if self.cut_after is not None and sent + len(data) > self.cut_after:
                    sink.write(data[: max(0, self.cut_after - sent)])
                    await sink.drain()
                    return
                sink.write(data)
                sent += len(data)
                await sink.drain()
