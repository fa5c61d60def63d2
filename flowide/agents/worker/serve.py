"""The worker's loop: calls come in, each runs as a task, what it says goes out."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import socket

import msgspec

from flowide.agents.redact import redact, secrets_in
from flowide.agents.worker.calls import attempt
from flowide.agents.worker.frames import (
    Call,
    Cancel,
    Cancelled,
    Failed,
    Fault,
    FromWorker,
    Ready,
    ToWorker,
    pack,
    receive,
)
from flowide.agents.worker.warming import warm_up


def run(connection: socket.socket) -> None:
    """Serve until the other end closes."""
    asyncio.run(_serve(connection))


async def _serve(connection: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=connection)
    running: dict[int, asyncio.Task[None]] = {}

    async def send(frame: FromWorker) -> None:
        writer.write(pack(frame))
        await writer.drain()

    decoder = msgspec.json.Decoder(ToWorker)
    await warm_up()
    await send(Ready(importlib.metadata.version("litellm")))
    while (frame := await receive(reader, decoder)) is not None:
        match frame:
            case Call():
                running[frame.id] = asyncio.create_task(_run(frame, running, writer))
            case Cancel() if frame.id in running:
                running[frame.id].cancel()
            case Cancel():
                await send(Cancelled(frame.id))
    os._exit(0)  # nobody listens any more; open connections close with the process


async def _run(call: Call, running: dict[int, asyncio.Task[None]], writer: asyncio.StreamWriter) -> None:
    async def send(frame: FromWorker) -> None:
        writer.write(pack(frame))
        await writer.drain()

    try:
        await attempt(call, send)
    except asyncio.CancelledError:
        writer.write(pack(Cancelled(call.id)))
        raise
    except Exception as error:
        what = redact(f"{type(error).__name__}: {error}", [*secrets_in(os.environ), call.api_key or ""])
        await send(
            Failed(call.id, Fault(kind="unavailable", message=f"the model worker failed: {what}"[:400]))
        )
    finally:
        del running[call.id]
