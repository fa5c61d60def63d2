"""The hub as a program."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from msgspec import Struct

from flowide.domain.policy import Policy
from flowide.errors import BadInput, Unavailable
from flowide.hub.app import make_app
from flowide.hub.callers import protocol_for
from flowide.hub.guard import LOOPBACK
from flowide.hub.hub import Hub
from flowide.hub.journal import Journal
from flowide.hub.keeper import Keeper
from flowide.hub.line import LineProtocol
from flowide.hub.manner import Manner
from flowide.space.wire.frames import MAX_FRAME

MOST_FILES = 65_536
"""Files that a hub may have open, where the system lets it."""
GRACE_S = 1.0
"""What a stop waits for clients to go."""


class Place(Struct, frozen=True):
    """Where a hub listens, and how it is reached there."""

    host: str = "127.0.0.1"
    port: int = 7420
    tls_cert: str | None = None
    tls_key: str | None = None
    behind_proxy: bool = False

    @property
    def url(self) -> str:
        """The address as people write it, without the port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_cert else 'http'}://{host}"


def check_place(place: Place) -> None:
    """Refuse to send tokens readable through a network.

    Raises:
        BadInput: A public address without TLS, or half a pair of TLS files.
    """
    if (place.tls_cert is None) != (place.tls_key is None):
        raise BadInput("TLS needs a certificate and its key", hint="Give both --tls-cert and --tls-key.")
    for name in (place.tls_cert, place.tls_key):
        if name is not None and not Path(name).is_file():
            raise BadInput(
                f"there is no file {name}", hint="Give the files of the certificate and of its key."
            )
    if place.host not in LOOPBACK and place.tls_cert is None and not place.behind_proxy:
        raise BadInput(
            f"{place.host} can be reached from elsewhere, and tokens would go over the network readable",
            hint="Give --tls-cert and --tls-key, or --behind-proxy when a proxy in front does TLS.",
        )


class _Server(uvicorn.Server):
    """Says goodbye before it closes anything; signals are the caller's."""

    def __init__(self, config: uvicorn.Config, hub: Hub, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._hub = hub
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.stopping = True
        for stream in tuple(self._hub.streams):
            stream.bye("restart", retry_ms=500)
        for _ in range(20):
            if not self._hub.streams:
                break
            await asyncio.sleep(GRACE_S / 40)
        await super().shutdown(sockets)


async def serve(
    database: str,
    place: Place,
    *,
    policy: Policy,
    manner: Manner,
    journal: Journal,
    ready: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM; `ready` gets the address once it can be called.

    Raises:
        BadInput: A public address without TLS.
        Unavailable: The address is taken.
    """
    check_place(place)
    _allow_files()
    listening = _listen(place)
    keeper = Keeper(database, policy, manner)
    hub = Hub(keeper, policy, manner, journal)
    config = uvicorn.Config(
        make_app(hub),
        http=protocol_for(manner),
        ws=LineProtocol,
        ws_max_size=MAX_FRAME,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=place.behind_proxy,
        forwarded_allow_ips="*" if place.behind_proxy else None,
        ssl_certfile=place.tls_cert,
        ssl_keyfile=place.tls_key,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=64 * 1024,
    )
    port = listening.getsockname()[1]

    def started() -> None:
        journal.write("info", "hub.started", port=port)
        ready(f"{place.url}:{port}")

    server = _Server(config, hub, started)
    journal.take_over_logging()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    pinging = asyncio.create_task(_ping(hub), name="ping")
    try:
        if not await keeper.names():
            journal.write(
                "warning", "hub.empty", hint="Make a space: flowide token create --space NAME --as HANDLE"
            )
        await server.serve(sockets=[listening])
    finally:
        pinging.cancel()
        await asyncio.gather(pinging, return_exceptions=True)
        await keeper.close()
        listening.close()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        journal.write("info", "hub.stopped")


def _allow_files() -> None:
    """A space on SQLite keeps some eight files open, and the usual 1,024 would be enough for 120 spaces."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(ValueError, OSError):  # a system that allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _listen(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    # The protocol is named so that asyncio sends at once what is written (TCP_NODELAY).
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((place.host, place.port))
        listening.listen(512)
    except OSError as error:
        listening.close()
        raise Unavailable(
            f"{place.host}:{place.port} cannot be served: {error.strerror or error}",
            hint="Choose another --port; 0 takes any that is free.",
        ) from error
    return listening


async def _ping(hub: Hub) -> None:
    while True:
        await asyncio.sleep(hub.manner.ping_s)
        for stream in tuple(hub.streams):
            stream.ping()
        hub.keeper.tidy()
