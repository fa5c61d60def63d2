"""How many connections and streams somebody may have, and how long one may say nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.exceptions import InvalidStatus

from flowide.hub.callers import protocol_for
from flowide.hub.manner import Manner
from tests.hub.conftest import RunningHub, running_hub


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that allows little."""
    bounds = {"FLOWIDE_HUB_STREAMS": "2", "FLOWIDE_HUB_CONNECTIONS": "5"}
    with running_hub(str(tmp_path_factory.mktemp("narrow") / "spaces"), env=bounds) as hub:
        yield hub


def test_a_token_has_so_many_streams_and_no_more(narrow: RunningHub) -> None:
    ana = narrow.person("narrow", "ana")
    rod = narrow.person("narrow", "rod", "editor")
    with ana.stream(), ana.stream():
        with pytest.raises(InvalidStatus) as refused, ana.again().stream():
            pass
        assert refused.value.response.status_code == 429
        with rod.stream() as other:
            assert other.next()["type"] == "hello"
    with ana.stream() as again:
        assert again.next()["type"] == "hello"


def test_an_address_has_so_many_connections_and_no_more(narrow: RunningHub) -> None:
    where = urlsplit(narrow.base)

    def call(address: str) -> socket.socket:
        return socket.create_connection(
            (where.hostname or "", where.port or 0), timeout=10, source_address=(address, 0)
        )

    with contextlib.ExitStack() as kept:
        for _ in range(5):
            kept.enter_context(call("127.0.0.77"))
        with call("127.0.0.77") as one_more:
            assert one_more.recv(1) == b""
        with call("127.0.0.78") as other:
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert other.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nHost: local"])
async def test_a_connection_without_a_request_is_closed(said: bytes, tmp_path: Path) -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError("there was no request")

    config = uvicorn.Config(app, http=protocol_for(Manner(request_s=0.05)), lifespan="off", log_config=None)
    config.load()
    made: Any = config.http_protocol_class
    server = await asyncio.get_running_loop().create_server(
        lambda: made(config=config, server_state=ServerState(), app_state={}), "127.0.0.1", 0
    )
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(said)
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
