"""Serves a folder on loopback, for one browser: read only, nothing outside of it, nothing from elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flowide.flows.sandbox import INSTALLED

LARGEST_HEAD = 16 * 1024
REQUEST_S = 10.0
"""Seconds for one request."""
_POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; form-action 'self'"
"""The page loads what is in the project, and calls nobody."""
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".md": "text/plain", ".svg": "image/svg+xml"}


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[str]:
    """The address of the folder, without a slash at its end."""
    handlers: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            async with asyncio.timeout(REQUEST_S):
                await _answer(reader, writer, folder)
        except (
            TimeoutError,
            ConnectionError,
            ValueError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ):
            pass  # whoever asked has gone, or speaks no HTTP
        finally:
            handlers.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=LARGEST_HEAD)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, folder: Path) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, target, _ = head.split("\r\n")[0].split(" ", 2)
    if method not in ("GET", "HEAD"):
        return await _send(writer, 405, b"", "text/plain")
    file = file_of(folder, target)
    if file is None and urlsplit(target).path == "/favicon.ico":
        return await _send(
            writer, 204, b"", "image/x-icon"
        )  # browsers ask for it; it is no mistake of the page
    if file is None:
        return await _send(writer, 404, b"there is no such file\n", "text/plain")
    data = await asyncio.to_thread(file.read_bytes)
    guessed = _TYPES.get(file.suffix.casefold()) or mimetypes.guess_type(file.name)[0]
    kind = guessed or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return await _send(writer, 200, data, kind, body=method == "GET")


def file_of(folder: Path, target: str) -> Path | None:
    """The file that a request names; None when there is none, or it is outside of the folder."""
    path = unquote(urlsplit(target).path).lstrip("/")
    if "\0" in path:
        return None
    found = folder / path
    with contextlib.suppress(OSError):
        if found.is_dir():
            found = found / "index.html"
        installed = any(part in INSTALLED for part in Path(path).parts) and ".." not in Path(path).parts
        inside = found.resolve().is_relative_to(folder.resolve())
        if found.is_file() and (inside or installed):
            return found
    return None


async def _send(
    writer: asyncio.StreamWriter, status: int, data: bytes, kind: str, *, body: bool = True
) -> None:
    words = {200: "OK", 204: "No Content", 404: "Not Found", 405: "Method Not Allowed"}
    head = (
        f"HTTP/1.1 {status} {words[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n"
        f"Content-Security-Policy: {_POLICY}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode("latin-1") + (data if body else b""))
    await writer.drain()
