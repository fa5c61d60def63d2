"""Reading a line from the person at the terminal without holding up the loop."""

from __future__ import annotations

import asyncio
import sys

from flowide.errors import Interrupted


async def read_line(prompt: str) -> str:
    """A line from stdin, without its break.

    Raises:
        Interrupted: The input has ended.
    """
    sys.stderr.write(prompt)
    sys.stderr.flush()
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def there() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(sys.stdin, there)
    try:
        await ready
    finally:
        loop.remove_reader(sys.stdin)
    line = sys.stdin.readline()
    if not line:
        raise Interrupted("the input has ended", hint="The run waits at its gate; resume it when you like.")
    return line.rstrip("\n")
