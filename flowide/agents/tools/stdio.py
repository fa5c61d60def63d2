"""Speaks with a server that runs here: a line of JSON each way, bounded, and nothing of it left at the end."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowide.confinement.spawning import Guarded, Limits, spawn
from flowide.errors import Unavailable
from flowide.text import one_line

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

LONGEST_LINE = 32 * 1024 * 1024
"""Bytes of one message; a server that sends more is ended."""
LAST_WORDS = 4096
"""Bytes that are kept of what it prints on stderr."""
GRACE_S = 0.5
"""Seconds a server has to end by itself once its input is closed."""
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME", "SHELL", "TERM", "SYSTEMROOT")
"""Variables that every server gets; keys are not among them."""
_CACHES = {".cache": "", ".npm": "np", ".local/share/uv": "uv", "Library/Caches": "-"}
"""Folders of the home in which programs keep what they fetched, and how the names of those begin for which they are
made when they are missing: a confined program could not."""


_OWN_FOLDER = ("TMPDIR", "TMP", "TEMP", "PLAYWRIGHT_MCP_OUTPUT_DIR")
"""Variables that name a server's own folder; the browser's server would write into the project otherwise."""
_PREFIX = "flowide-tools-"
"""Of a server's temporary folder; the id of the process that made it follows."""


class Ending:
    """How a server ended, and what it said last."""

    def __init__(self) -> None:
        self.why = ""
        """Empty while it runs."""
        self._said = bytearray()

    def hear(self, data: bytes) -> None:
        """Keep the last part of what it prints."""
        self._said += data
        del self._said[:-LAST_WORDS]

    @property
    def last_words(self) -> str:
        """The last line of it; may be empty."""
        lines = [line for line in self._said.decode("utf-8", "replace").splitlines() if line.strip()]
        return one_line(lines[-1], 300) if lines else ""


def environment(given: Mapping[str, str], *, folder: str, around: Mapping[str, str]) -> dict[str, str]:
    """All that a server sees: a few harmless variables, its own temporary folder, and what it was given."""
    kept = {name: around[name] for name in KEPT if around.get(name)}
    return {"PATH": os.defpath, **kept, **dict.fromkeys(_OWN_FOLDER, folder), **given}


def _caches(home: Path, program: str) -> list[str]:
    """The folders for what is fetched, those that this program needs made."""
    for name, prefix in _CACHES.items():
        if program.startswith(prefix) and home.is_dir():
            with suppress(OSError):
                (home / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    return [str(home / name) for name in _CACHES]


@cache
def clear_up() -> None:
    """Remove folders that processes which were killed have left, once in the life of this process."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError, ValueError):
            if left.stat().st_uid == os.getuid() and not _runs(int(owner)):
                shutil.rmtree(left, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@asynccontextmanager
async def stdio(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    around: Mapping[str, str],
    writable: Sequence[str],
    ending: Ending,
) -> AsyncIterator[TransportStreams]:
    """A connection to a server that is started for it, and is gone with all its children afterwards.

    `env` is what it was given, `around` the environment that little of is passed on.

    Raises:
        Unavailable: It cannot be started.
    """
    program = shutil.which(argv[0], path=around.get("PATH"))
    if program is None:
        raise Unavailable(
            f"there is no program {argv[0][:200]}", hint="Install it, or correct the command of the server."
        )
    await asyncio.to_thread(clear_up)
    folder = await asyncio.to_thread(tempfile.mkdtemp, prefix=f"{_PREFIX}{os.getpid()}-")
    caches = await asyncio.to_thread(_caches, Path(around.get("HOME") or folder), Path(argv[0]).name)
    try:
        guarded = await spawn(
            [program, *argv[1:]],
            cwd=cwd,
            env=environment(env, folder=folder, around=around),
            writable=[folder, *caches, *writable],
            limits=Limits(processes=256),
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with _pipes(guarded, ending) as streams:
                yield streams
        finally:
            await asyncio.shield(_end(guarded))
    except OSError as error:
        raise Unavailable(f"{argv[0][:200]} cannot be started: {error}") from error
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


async def _end(guarded: Guarded) -> None:
    """Close its input, as the protocol has it; what does not end by itself is killed, with all below it."""
    assert guarded.stdin is not None
    guarded.stdin.close()
    until = asyncio.get_running_loop().time() + GRACE_S
    # Not wait(): that also ends what the server left running, and closes the pipe under the reader.
    while guarded.running and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 - nothing tells it
        await asyncio.sleep(0.01)
    # Not only end(): a pipe that nobody read to its end would stay open.
    await guarded.close()


@asynccontextmanager
async def _pipes(guarded: Guarded, ending: Ending) -> AsyncIterator[TransportStreams]:
    import anyio
    from mcp.shared.message import SessionMessage

    said, heard = anyio.create_memory_object_stream[Any](0)
    told, telling = anyio.create_memory_object_stream[SessionMessage](0)
    tasks = [
        asyncio.create_task(_read(guarded, said, ending)),
        asyncio.create_task(_write(guarded, telling, said)),
        asyncio.create_task(_hear(guarded, ending)),
    ]
    try:
        yield heard, told
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in (said, heard, told, telling):
            stream.close()


async def _read(guarded: Guarded, said: Any, ending: Ending) -> None:
    """Pass on each line as a message; the end of the stream tells that the server is gone."""
    import anyio

    assert guarded.stdout is not None
    held = bytearray()
    try:
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            while data := await guarded.stdout.read(65536):
                *lines, rest = data.split(b"\n")
                for line in lines:
                    held += line
                    message = _message(bytes(held))
                    held.clear()
                    if message is not None:
                        await said.send(message)
                held += rest
                if len(held) > LONGEST_LINE:
                    ending.why = f"it sent a message of more than {LONGEST_LINE // 2**20} MiB"
                    break
    finally:
        ending.why = ending.why or "it ended"
        said.close()
        if not asyncio.current_task().cancelling():  # type: ignore[union-attr]  # it runs in a task
            await guarded.end()


def _message(line: bytes) -> Any:
    """A line as a message; None when it is blank or no message: some programs print to the wrong stream."""
    from mcp.shared.message import SessionMessage
    from mcp.types import jsonrpc_message_adapter

    if not line.strip():
        return None
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError:  # of pydantic
        return None


async def _write(guarded: Guarded, telling: Any, said: Any) -> None:
    assert guarded.stdin is not None
    try:
        async for message in telling:
            line = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            guarded.stdin.write(line.encode() + b"\n")
            await guarded.stdin.drain()
    except (ConnectionError, OSError):
        said.close()  # waiting requests must learn of it


async def _hear(guarded: Guarded, ending: Ending) -> None:
    """Drain stderr: a server that is not listened to stops when the pipe is full."""
    stderr = guarded.stderr
    assert stderr is not None
    while data := await stderr.read(65536):
        ending.hear(data)
