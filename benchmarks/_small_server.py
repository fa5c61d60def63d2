"""The least that could serve: lock cycles with hand-written statements, and one text to all who are connected."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any


def cycles(url: str) -> None:
    """Starlette on uvicorn, one WebSocket, the statements of `lock_cycle` or `postgres_cycle`."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect

    raw = _raw(url)

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept(subprotocol="flowide.1")
        try:
            while True:
                asked = json.loads(await websocket.receive_text())
                if asked["do"] == "acquire":
                    answer = {"fence": await _call(url, raw.acquire, asked["at"])}
                else:
                    await _call(url, raw.save, asked["at"], asked["fence"])
                    answer = {"saved": True, "size": len(asked["text"])}
                await websocket.send_text(json.dumps({"id": asked["id"], "ok": answer}))
        except WebSocketDisconnect:
            return

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    print(f"http://127.0.0.1:{listening.getsockname()[1]}/", flush=True)
    config = uvicorn.Config(app, log_level="error", ws_per_message_deflate=False)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


async def _call(url: str, work: Any, *args: Any) -> Any:
    """SQLite is quick enough for the loop; a database over the network has a thread."""
    return await asyncio.to_thread(work, *args) if url else work(*args)


def _raw(url: str) -> Any:
    if url:
        from benchmarks.postgres_cycle import Raw as Postgres

        return Postgres(url)
    from benchmarks.lock_cycle import Raw

    return Raw(Path(tempfile.mkdtemp()))


def fanout() -> None:
    """The websockets library, sending each text that comes to all who are connected."""
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    here: set[ServerConnection] = set()

    async def serving(line: ServerConnection) -> None:
        here.add(line)
        try:
            async for text in line:
                await line.send('{"type":"res"}')
                broadcast(here, text)
        finally:
            here.discard(line)

    async def main() -> None:
        async with serve(serving, "127.0.0.1", 0, compression=None, subprotocols=["flowide.1"]) as server:  # type: ignore[list-item] # any text
            print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
            await server.serve_forever()

    asyncio.run(main())


if __name__ == "__main__":
    if sys.argv[1] == "fanout":
        fanout()
    else:
        cycles(sys.argv[2] if len(sys.argv) > 2 else "")
