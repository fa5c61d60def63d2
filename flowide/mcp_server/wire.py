"""Messages over stdin and stdout, one a line, without a read or a write that could hold the process up.

The library's own transport reads in a thread that a signal cannot end; and a client that does not read would
stop the renewal of locks. Here both ends are threads of their own, which nobody waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import queue
import select
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp import types
from mcp.shared.message import SessionMessage

MAX_LINE = 128 * 1024 * 1024
"""Bytes of one message; a text of 16 MiB stays below it however it is escaped."""
_AHEAD = 16
"""Messages that are read before they are taken."""
_FLUSH_S = 0.5

Incoming = MemoryObjectReceiveStream[SessionMessage | Exception]
Outgoing = MemoryObjectSendStream[SessionMessage]


@asynccontextmanager
async def standard_streams() -> AsyncIterator[tuple[Incoming, Outgoing]]:
    """Messages in and out. Meanwhile stray output goes to stderr, and children find an empty stdin."""
    loop = asyncio.get_running_loop()
    source, sink = _claim()
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    reader, writer = _Reader(source, loop, lines.put_nowait), _Writer(sink, loop)

    async def next_line() -> bytes | None:
        line = await lines.get()
        reader.taken()
        return line

    async with messages(next_line, writer.write) as both:
        yield both


@asynccontextmanager
async def messages(
    next_line: Callable[[], Awaitable[bytes | None]], write_line: Callable[[bytes], Awaitable[None]]
) -> AsyncIterator[tuple[Incoming, Outgoing]]:
    """Messages of lines: `next_line` gives None at the end, `write_line` raises OSError when nobody reads."""
    arrived, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, leaving = anyio.create_memory_object_stream[SessionMessage](0)
    flushed = anyio.Event()

    async def read() -> None:
        with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
            async with arrived:
                while (line := await next_line()) is not None:
                    message = _parsed(line)
                    if message is not None:
                        await arrived.send(SessionMessage(message))
                    elif line.strip():
                        await write_line(_refused(line))

    async def write() -> None:
        try:
            async with leaving:
                async for each in leaving:
                    text = each.message.model_dump_json(by_alias=True, exclude_unset=True)
                    await write_line(text.encode())
        except OSError:
            await arrived.aclose()  # nobody reads any more: that is the end of the conversation
        finally:
            flushed.set()

    async with anyio.create_task_group() as both:
        both.start_soon(read)
        both.start_soon(write)
        try:
            yield incoming, outgoing
            outgoing.close()
            with anyio.move_on_after(_FLUSH_S):
                await flushed.wait()
        finally:
            both.cancel_scope.cancel()
            for stream in (arrived, incoming, outgoing, leaving):
                stream.close()


def _parsed(line: bytes) -> types.JSONRPCMessage | None:
    """The message of a line; None when it is none."""
    try:
        message: types.JSONRPCMessage = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        return None
    return message


def _refused(line: bytes) -> bytes:
    """The answer to a line that is no message."""
    why = f"a message has at most {MAX_LINE} bytes" if line == TOO_LONG else "this line is no message"
    error = types.ErrorData(code=types.PARSE_ERROR, message=why)
    answer = types.JSONRPCError(jsonrpc="2.0", id=None, error=error)
    return answer.model_dump_json(by_alias=True, exclude_unset=True).encode()


TOO_LONG = b"\0"
"""Stands for a line that was not kept."""


class _Reader:
    """Reads lines in a thread, a few ahead."""

    def __init__(
        self, source: int, loop: asyncio.AbstractEventLoop, put: Callable[[bytes | None], None]
    ) -> None:
        self._source = source
        self._loop = loop
        self._put = put
        self._room = threading.Semaphore(_AHEAD)
        threading.Thread(target=self._run, name="mcp stdin", daemon=True).start()

    def taken(self) -> None:
        """A line was taken."""
        self._room.release()

    def _run(self) -> None:
        parts: list[bytes] = []
        size = 0
        # The loop may be closed by now: then nobody waits for lines.
        with contextlib.suppress(RuntimeError):
            while chunk := self._chunk():
                *ended, rest = chunk.split(b"\n")
                for end in ended:
                    whole = b"".join([*parts, end]) if size <= MAX_LINE else TOO_LONG
                    parts, size = [], 0
                    self._room.acquire()
                    self._loop.call_soon_threadsafe(self._put, whole)
                size += len(rest)
                parts = [*parts, rest] if rest and size <= MAX_LINE else parts if size <= MAX_LINE else []
            self._loop.call_soon_threadsafe(self._put, None)

    def _chunk(self) -> bytes:
        while True:
            try:
                return os.read(self._source, 1 << 20)
            except BlockingIOError:  # the client's end may have made it so
                select.select([self._source], [], [])
            except OSError:
                return b""


class _Writer:
    """Writes lines in a thread, in order."""

    def __init__(self, sink: int, loop: asyncio.AbstractEventLoop) -> None:
        self._sink = sink
        self._loop = loop
        self._queue: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="mcp stdout", daemon=True).start()

    async def write(self, line: bytes) -> None:
        """Write a line.

        Raises:
            OSError: Nobody reads.
        """
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((line + b"\n", done))
        await done

    def _run(self) -> None:
        with contextlib.suppress(RuntimeError):
            while True:
                data, done = self._queue.get()
                failed: OSError | None = None
                try:
                    left = memoryview(data)
                    while left:
                        left = left[self._some(left) :]
                except OSError as error:
                    failed = error
                self._loop.call_soon_threadsafe(_settle, done, failed)

    def _some(self, data: memoryview) -> int:
        while True:
            try:
                return os.write(self._sink, data)
            except BlockingIOError:
                select.select([], [self._sink], [])


def _settle(done: asyncio.Future[None], failed: OSError | None) -> None:
    if done.done():
        return
    if failed is None:
        done.set_result(None)
    else:
        done.set_exception(failed)


def _claim() -> tuple[int, int]:
    """Private copies of stdin and stdout; the standard ones become the null device and stderr."""
    source = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 3)
    sink = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, 3)
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(null, 0)
    try:
        os.dup2(2, 1)
    except OSError:
        os.dup2(null, 1)
    os.close(null)
    return source, sink
