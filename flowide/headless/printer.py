"""Writes to a stream from a thread, so that a slow reader never holds up a run."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO


class Printer:
    """Writes bytes in order and flushes each. `closed` is set when the reader has gone away."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]] | None] = queue.SimpleQueue()
        self.closed = asyncio.Event()
        self._ended = asyncio.Event()
        # A daemon: a reader that stalls for ever cannot keep the process alive.
        self._thread = threading.Thread(target=self._write_all, daemon=True, name="output")
        self._thread.start()

    async def write(self, data: bytes) -> None:
        """Return when the bytes are out, or the reader has gone away."""
        if self.closed.is_set():
            return
        written: asyncio.Future[None] = self._loop.create_future()
        self._waiting.put((data, written))
        gone: asyncio.Future[Any] = asyncio.ensure_future(self.closed.wait())
        try:
            await asyncio.wait([written, gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()

    async def close(self, timeout_s: float = 1.0) -> None:
        """Let the thread end, waiting at most so long for a reader that stalls."""
        self._waiting.put(None)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), timeout_s)

    def _write_all(self) -> None:
        try:
            self._write_waiting()
        finally:
            self._tell(self._ended.set)

    def _write_waiting(self) -> None:
        while (item := self._waiting.get()) is not None:
            data, written = item
            try:
                self._stream.write(data)
                self._stream.flush()
            except (OSError, ValueError):
                self._tell(self.closed.set)
                return
            self._tell(partial(_done, written))

    def _tell(self, what: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(what)
        except RuntimeError:  # the loop has ended
            return


def _done(written: asyncio.Future[None]) -> None:
    if not written.done():
        written.set_result(None)
