"""Turns at the folder: one process at a time compares files with the space and writes them."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from flowide.errors import StorageFailed
from flowide.store.filelock import WriterTurn

T = TypeVar("T")

WAIT_S = 15.0


class FolderTurn:
    """A lock on a side file, which ends with its process. Belongs to one event loop; not reentrant."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: WriterTurn | None = None
        self._within = asyncio.Lock()
        """At most one task of this process waits in a thread, so that threads do not run out."""

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        """Wait for the turn and keep it for the block.

        Raises:
            StorageFailed: Another process kept it for 15 s, or the side file cannot be made.
        """
        async with self._within:
            lock = self._opened()
            if not lock.try_acquire():
                await _wait(lock)
            try:
                yield
            finally:
                lock.release()

    def _opened(self) -> WriterTurn:
        if self._lock is None:
            try:
                self._lock = WriterTurn(self._path)
            except OSError as error:
                raise StorageFailed(
                    f"{self._path} cannot be used: {error.strerror}",
                    hint="Make the project's .flowide folder writable.",
                ) from error
            weakref.finalize(self, self._lock.close)
        return self._lock


async def _wait(lock: WriterTurn) -> None:
    waiting = asyncio.ensure_future(asyncio.to_thread(lock.acquire, timeout_s=WAIT_S))
    try:
        await asyncio.shield(waiting)
    except asyncio.CancelledError:
        # The thread goes on; when its turn comes, nobody wants it any more.
        waiting.add_done_callback(lambda done: _give_back(done, lock))
        raise


def _give_back(done: asyncio.Future[None], lock: WriterTurn) -> None:
    if not done.cancelled() and done.exception() is None:
        lock.release()


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Carry `work` through to its end even when the caller is cancelled meanwhile; then be cancelled."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                continue
        if not task.cancelled():
            task.exception()  # there is nobody left to tell
        raise
