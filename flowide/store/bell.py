"""Rings when a file of the workspace is written, so that whoever follows the log need not look all the time.

Linux only (inotify); elsewhere, and where the system has none left, there is no bell and followers look as before.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

_MODIFIED = 0x2
_NONBLOCKING, _CLOSE_ON_EXEC = 0o4000, 0o2000000


class Bell:
    """A file descriptor that is readable once one of the files was written."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def clear(self) -> None:
        """Take in what has rung."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.descriptor, 4096):
                pass

    def close(self) -> None:
        """Free it."""
        with contextlib.suppress(OSError):
            os.close(self.descriptor)


def bell_of(paths: Iterable[Path]) -> Bell | None:
    """A bell of those files that are there; None = there can be none."""
    if sys.platform != "linux":
        return None
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    try:
        descriptor = library.inotify_init1(_NONBLOCKING | _CLOSE_ON_EXEC)
    except AttributeError:
        return None
    if descriptor < 0:
        return None
    bell = Bell(descriptor)
    watched = [library.inotify_add_watch(descriptor, os.fsencode(path), _MODIFIED) for path in paths]
    if not any(each >= 0 for each in watched):
        bell.close()
        return None
    return bell
