"""Turns among the writers of one workspace: a lock on a side file, fair where SQLite's busy handler starves.

`flock` belongs to an open file description and ends with its process, so a killed writer holds nobody up.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from flowide.errors import StorageFailed

try:
    import fcntl
except ImportError:  # Windows: SQLite's own lock has to do
    fcntl = None  # type: ignore[assignment]

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)


class WriterTurn:
    """One writer at a time, among threads and processes. Not reentrant; any thread may release."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread_lock = threading.Lock()
        self._fd = os.open(path, _FLAGS, 0o600)
        self._waited_fd: int | None = None
        """The description that holds the lock, when a waiter got it; else `_fd` does."""

    def acquire(self, *, timeout_s: float) -> None:
        """Wait for the turn.

        Raises:
            StorageFailed: It did not come in time.
        """
        deadline = time.monotonic() + timeout_s
        if not self._thread_lock.acquire(timeout=timeout_s):
            raise _busy(timeout_s)
        try:
            if not self._flock_now():
                self._flock(deadline, timeout_s)
        except BaseException:
            self._thread_lock.release()
            raise

    def try_acquire(self) -> bool:
        """Take the turn if nobody has it."""
        if not self._thread_lock.acquire(blocking=False):
            return False
        try:
            taken = self._flock_now()
        except BaseException:
            self._thread_lock.release()
            raise
        if not taken:
            self._thread_lock.release()
        return taken

    def release(self) -> None:
        """Let the next one."""
        if self._waited_fd is not None:
            os.close(self._waited_fd)
            self._waited_fd = None
        elif fcntl is not None and self._fd >= 0:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
        self._thread_lock.release()

    def close(self) -> None:
        """Close the side file; a turn that is held ends with its release."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _flock_now(self) -> bool:
        if fcntl is None:
            return True
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _flock(self, deadline: float, timeout_s: float) -> None:
        """A blocking flock is served in turn but cannot time out, so a thread waits for it."""
        waiter = _Waiter(self._path)
        waiter.start()
        self._waited_fd = waiter.wait(deadline - time.monotonic())
        if self._waited_fd is None:
            raise _busy(timeout_s)


class _Waiter(threading.Thread):
    """Takes the lock when its turn comes; lets it go at once when nobody waits for it any more.

    It has an open file description of its own: one that it shared could be unlocked under its next owner.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(name="flowide-writer-turn", daemon=True)
        self._fd = os.open(path, _FLAGS, 0o600)
        self._decided = threading.Lock()
        self._ended = threading.Event()
        self._error: OSError | None = None
        self._abandoned = False

    def run(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        except OSError as error:
            self._error = error
        with self._decided:
            self._ended.set()
            if self._abandoned or self._error is not None:
                os.close(self._fd)

    def wait(self, timeout_s: float) -> int | None:
        """The descriptor that holds the lock, or None when it did not come in time."""
        self._ended.wait(max(0.0, timeout_s))
        with self._decided:
            self._abandoned = not self._ended.is_set()
        if self._error is not None:
            raise self._error
        return None if self._abandoned else self._fd


def _busy(timeout_s: float) -> StorageFailed:
    return StorageFailed(
        f"another process has been writing to this workspace for {timeout_s:g} s",
        hint="Look for a stopped flowide process (`ps`), then try again.",
    )
