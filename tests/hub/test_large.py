"""A long log: resumed, taken as a whole, and not read at all; memory stays bounded. Slow."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.lock_cycle import grow
from flowide.store.by_url import open_store
from tests.hub.client import Person
from tests.hub.conftest import RunningHub, running_hub, token_of

pytestmark = pytest.mark.slow
EVENTS = 100_000
_MOST_KIB = 80 * 1024
"""What the hub may grow by, whatever its clients do."""


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningHub, str]]:
    """A hub with a space of many events, and a token for it."""
    database = str(tmp_path_factory.mktemp("large") / "spaces")
    token = token_of(database, "long", "ana")
    store = open_store(database, "long")
    grow(store, EVENTS)
    store.close()
    with running_hub(database) as hub:
        yield hub, token


def memory_kib(hub: RunningHub) -> int:
    """Resident memory of the hub's process."""
    for line in Path(f"/proc/{hub.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def test_the_whole_log_is_resumed_and_the_hub_does_not_grow(long_log: tuple[RunningHub, str]) -> None:
    hub, token = long_log
    ana = Person(hub.base, "long", token)
    ana.get("members")
    before = memory_kib(hub)
    started = time.monotonic()

    with ana.stream() as stream:
        count = 0
        while True:
            frame = json.loads(stream.line.recv(timeout=60))
            if frame["type"] == "ev":
                assert frame["e"][0]["seq"] == count + 1
                count += len(frame["e"])
            if frame["type"] == "up_to_date":
                break

    assert count == frame["seq"] >= EVENTS
    assert time.monotonic() - started < 60
    assert memory_kib(hub) - before < _MOST_KIB


def test_a_snapshot_of_it_is_whole_and_the_hub_does_not_grow(long_log: tuple[RunningHub, str]) -> None:
    hub, token = long_log
    ana = Person(hub.base, "long", token)
    before = memory_kib(hub)
    started = time.monotonic()

    body = ana.get("snapshot").body

    assert body.endswith(b'{"end":true}\n')
    assert body.count(b'\n{"chain":"') >= EVENTS
    assert time.monotonic() - started < 60
    assert memory_kib(hub) - before < _MOST_KIB


def test_readers_that_read_nothing_cost_little_and_are_cut_off(long_log: tuple[RunningHub, str]) -> None:
    hub, token = long_log
    ana = Person(hub.base, "long", token)
    ana.get("members")
    before = memory_kib(hub)
    where = urlsplit(hub.base)
    lines = [socket.create_connection((where.hostname or "", where.port or 0)) for _ in range(30)]
    try:
        for line in lines:
            line.sendall(
                b"GET /v1/spaces/long/stream?after=0&chain= HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: flowide.1\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer "
                + token.encode()
                + b"\r\n\r\n"
            )
        deadline = time.monotonic() + 60
        most = 0
        while time.monotonic() < deadline:
            most = max(most, memory_kib(hub))
            said = ana.get("/metrics").body.decode().splitlines()
            cut = next((line for line in said if 'byes_total{code="slow"}' in line), "0")
            if int(cut.split()[-1]) >= 30:
                break
            time.sleep(0.5)
    finally:
        for line in lines:
            line.close()

    assert int(cut.split()[-1]) >= 30
    assert most - before < _MOST_KIB
    assert ana.do("artifact.create", path="still-there.md", text="")["version"] == 1
