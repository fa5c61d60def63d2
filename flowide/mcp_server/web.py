"""The server over HTTP, for clients on this machine that cannot start a process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from mcp.server.lowlevel import Server

from flowide.errors import BadInput, StorageFailed
from flowide.patterns import lazy

_HOST = "127.0.0.1"
_STOP_S = 1.0
_TOKEN = lazy(r"[A-Za-z0-9_-]{20,200}")


class _Quiet(uvicorn.Server):
    """Leaves signals to the command line."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_http(server: Server[None], token: str, port: int, tell: Callable[[str], None]) -> None:
    """Serve on loopback until cancelled; `tell` gets the address. Port 0 = any that is free.

    The token is part of the address: other people on this machine could reach the port too.

    Raises:
        BadInput: The port is in use.
    """
    listening = _bound(port)
    app = server.streamable_http_app(streamable_http_path=f"/{token}/mcp", host=_HOST)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=round(_STOP_S)
    )
    web = _Quiet(config)
    serving = asyncio.create_task(web.serve(sockets=[listening]), name="http")
    try:
        while not web.started and not serving.done():  # noqa: ASYNC110 - uvicorn has a flag and no event
            await asyncio.sleep(0.01)
        tell(f"http://{_HOST}:{listening.getsockname()[1]}/{token}/mcp")
        await asyncio.shield(serving)
    finally:
        web.should_exit = True
        _, left = await asyncio.wait([serving], timeout=_STOP_S + 0.5)
        if left:
            web.force_exit = True
            serving.cancel()
        listening.close()


def token_of(folder: Path) -> str:
    """The secret part of the address, kept in a file that only its owner can read.

    Raises:
        StorageFailed: The file cannot be written or read.
    """
    file = folder / "mcp.token"
    try:
        with contextlib.suppress(FileExistsError):
            made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(made, "w") as out:
                out.write(secrets.token_urlsafe(24))
        token = file.read_text().strip()
    except (OSError, ValueError) as error:
        raise StorageFailed(f"{file} cannot be used: {error}", hint="Remove it, and start again.") from error
    if not _TOKEN.fullmatch(token):
        raise StorageFailed(f"{file} holds no token", hint="Remove it, and start again.")
    return token


def _bound(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
    except OSError as error:
        listening.close()
        raise BadInput(
            f"port {port} cannot be used: {error.strerror}", hint="Choose another, or 0 for any that is free."
        ) from error
    return listening
