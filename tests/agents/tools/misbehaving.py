"""A real MCP server, run as `python misbehaving.py [HOW]`, whose tools do what servers do at their worst.

HOW: `hangs` never answers the handshake, `dies` ends at once with a word on stderr, `noisy` prints to stdout first.
"""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import time
from pathlib import Path

from mcp.server.mcpserver import Context, Image, MCPServer

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
WIRE = os.dup(1)
"""Standard output, before the library keeps it for itself."""
server = MCPServer("misbehaving", instructions="Do not trust me.")


@server.tool()
def echo(text: str) -> str:
    """Says it again."""
    return text


@server.tool()
def nothing() -> None:
    """Answers nothing."""


@server.tool()
def die() -> str:
    """Ends in the middle of the call."""
    print("I am dying of a broken heart", file=sys.stderr, flush=True)
    os._exit(3)


@server.tool()
async def hang(seconds: float, mark: str = "") -> str:
    """Takes its time; writes whether it was cancelled into the file `mark`."""
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if mark:
            Path(mark).write_text("cancelled")
        raise
    return "late"


@server.tool()
def block(seconds: float) -> str:
    """Does not even listen meanwhile."""
    time.sleep(seconds)
    return "late"


@server.tool()
async def progress(steps: int, pause: float, ctx: Context) -> str:
    """Tells how far it is."""
    for step in range(steps):
        await ctx.report_progress(step + 1, steps, f"step {step + 1}")
        await asyncio.sleep(pause)
    return "done"


@server.tool()
def huge(characters: int) -> str:
    """Says much."""
    return "0123456789" * (characters // 10)


@server.tool()
def flood(megabytes: int) -> str:
    """Prints one line without an end."""
    for _ in range(megabytes):
        os.write(WIRE, b"x" * 1024 * 1024)
    time.sleep(60)
    return "flooded"


@server.tool()
def chatter(kilobytes: int) -> str:
    """Prints much on stderr."""
    sys.stderr.write("blah " * (kilobytes * 200))
    sys.stderr.flush()
    return "said"


@server.tool()
def picture() -> Image:
    """Shows a picture."""
    return Image(data=PIXEL, format="png")


@server.tool()
def controls() -> str:
    """Says it in colours."""
    return "\x1b]0;owned\x07\x1b[2Jred\x1b[31m \u202etxt.exe [bold]not markup[/bold]"


@server.tool()
def fail(why: str) -> str:
    """Cannot do it."""
    raise ValueError(why)


@server.tool()
def environment() -> dict[str, str]:
    """All variables that it sees."""
    return dict(os.environ)


@server.tool()
def child(seconds: int) -> int:
    """Leaves a process behind, in a session of its own; its id."""
    left = subprocess.Popen(["sleep", str(seconds)], start_new_session=True, stdout=subprocess.DEVNULL)
    return left.pid


@server.tool()
def write(path: str, text: str) -> str:
    """Writes a file."""
    Path(path).write_text(text)
    return "written"


@server.tool(name="odd name\x1b[31m!")
def odd() -> str:
    """Has a name that no model takes."""
    return "odd"


@server.resource("memo://greeting")
def greeting() -> str:
    """A resource."""
    return "Hello from a resource"


@server.prompt()
def review(what: str) -> str:
    """A prompt."""
    return f"Please review {what}."


if __name__ == "__main__":
    how = sys.argv[1] if len(sys.argv) > 1 else ""
    if how == "hangs":
        time.sleep(600)
    if how == "dies":
        sys.exit("there is no database")
    if how == "noisy":
        print("Welcome to my server!", flush=True)
    if how == "http":
        server.run("streamable-http", port=int(sys.argv[2]))
    else:
        server.run()
