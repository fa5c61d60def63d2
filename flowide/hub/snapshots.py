"""A snapshot on its way out: made in one thread, at the pace of who takes it."""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import AsyncIterator, Iterator

from flowide.hub.space import HubSpace
from flowide.space.wire import snapshot
from flowide.store.api import Store

_AHEAD = 4
"""Pieces that wait to be taken."""


async def pieces(space: HubSpace, hub: str, *, small: bool) -> AsyncIterator[bytes]:
    """The bytes of a snapshot of one moment; `small` = as gzip.

    Raises:
        StorageFailed: The store cannot be read.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)
    stopped = threading.Event()

    def make(store: Store) -> None:
        try:
            with store.aside() as own:
                for piece in _packed(snapshot.lines(own, hub), small=small):
                    asyncio.run_coroutine_threadsafe(queue.put(piece), loop).result()
                    if stopped.is_set():
                        return
        finally:
            asyncio.run_coroutine_threadsafe(queue.put(None), loop).result()

    making = asyncio.create_task(space.write(make), name="snapshot")
    try:
        while (piece := await queue.get()) is not None:
            yield piece
        await making
    finally:
        stopped.set()
        while not making.done():
            while not queue.empty():
                queue.get_nowait()
            await asyncio.sleep(0.005)


def _packed(lines: Iterator[bytes], *, small: bool) -> Iterator[bytes]:
    if not small:
        yield from lines
        return
    packer = zlib.compressobj(1, wbits=31)
    for line in lines:
        piece = packer.compress(line)
        if piece:
            yield piece
    yield packer.flush()
