"""Reading anew whenever something happened: one reading at a time, and one more for what happened meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Rereading:
    """Has something read, however often it is asked for; what is asked for during a reading is read once after it."""

    def __init__(self, read: Callable[[], Awaitable[object]], *, pause_s: float) -> None:
        """`pause_s` are seconds from the end of a reading to the next one."""
        self._read = read
        self._pause_s = pause_s
        self._busy = self._missed = False

    async def again(self) -> None:
        """Read; when it is being read already, come back at once: that reading is followed by another.

        Raises whatever the reading raises.
        """
        if self._busy:
            self._missed = True
            return
        self._busy = True
        try:
            while True:
                self._missed = False
                await self._read()
                if not self._missed:
                    return
                await asyncio.sleep(self._pause_s)
        finally:
            self._busy = False
