"""A new replica of a space of 100,000 events, opening it and from the snapshot alone, against plain SQLite.

The baseline inserts the same events into one table and computes their chain, from bytes that are there already.
The goal is in seconds: 5 s for 100,000 events, whatever the quick size.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from benchmarks import Row, row
from benchmarks._hub import process
from flowide.domain.actors import Actor
from flowide.domain.events import Event, canonical_json, chain_after
from flowide.domain.ids import uuid7
from flowide.space.keys import grant_token
from flowide.space.remote.credentials import Seat
from flowide.space.remote.opening import open_remote
from flowide.store.by_url import open_store
from flowide.store.explained import sqlite3
from flowide.store.projections import project

GOAL_S, GOAL_EVENTS = 5.0, 100_000
ARTIFACTS = 200


def fill(database: str, events: int) -> None:
    """Saves and locks of some hundred artifacts, as people and agents leave them, straight into the log."""
    store = open_store(database, "bench")
    digest = sha256(b"text\n").hexdigest()
    ids = [uuid7() for _ in range(ARTIFACTS)]
    made = 0
    version = dict.fromkeys(ids, 0)
    while made < events:
        with store.write() as tx:
            tx.put_blob(digest, b"text\n")
            for _ in range(1000):
                for kind, data in _cycle(ids[made // 3 % ARTIFACTS], version, digest):
                    at = tx.position()
                    fields = {
                        "v": 1, "seq": at.seq + 1, "ts": "2026-11-26T00:00:00.000Z", "client": "bench",
                        "actor": {"id": "ana", "kind": "human"}, "cmd": f"c{made // 3}", "type": kind, "data": data,
                    }  # fmt: skip
                    body = canonical_json(fields)
                    event = Event(chain=chain_after(at.chain, body), **fields)  # type: ignore[arg-type] # as above
                    tx.append(event, body)
                    changes = project(tx, event)
                    tx.drop(changes.drop)
                    tx.put(changes.put)
                    made += 1
    store.close()


def _cycle(artifact: str, version: dict[str, int], digest: str) -> list[tuple[str, dict[str, object]]]:
    version[artifact] += 1
    now = version[artifact]
    saved = {
        "artifact": artifact, "path": f"src/{artifact}.py", "version": now, "base": now - 1, "sha256": digest,
        "size": 5, "fence": now, "note": "", "kind": "code",
    }  # fmt: skip
    holder = {"actor": "ana", "client": "bench", "kind": "human", "for": None}
    return [
        ("lock.acquired", {"artifact": artifact, "fence": now, "holder": holder, "ttl_ms": 30_000}),
        ("artifact.created" if now == 1 else "artifact.saved", saved),
        ("lock.released", {"artifact": artifact, "fence": now}),
    ]


async def _replica(seat: Seat, folder: Path, *, snapshot: bool) -> float:
    start = time.perf_counter()
    if snapshot:
        await asyncio.to_thread(folder.mkdir)
        from flowide.space.remote.address import address_of
        from flowide.space.remote.http import Http
        from flowide.space.remote.replica import Replica

        replica, http = Replica(folder / "replica.db"), Http(address_of(seat.url), seat.token)
        await asyncio.to_thread(lambda: replica.replace(http.snapshot()))
        taken = time.perf_counter() - start
        http.close()
        replica.close()
        return taken
    space = await open_remote(seat.url, actor=Actor("ana"), folder=folder, seat=seat)
    taken = time.perf_counter() - start
    await space.close()
    return taken


def _plain(database: str, file: Path) -> float:
    store = open_store(database, "bench")
    bodies = []
    seq = 0
    while page := store.bodies(seq, 1000):
        bodies += page
        seq = page[-1][0]
    store.close()
    start = time.perf_counter()
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, chain TEXT, body TEXT)")
    connection.execute("BEGIN")
    chain = "00" * 32
    for at, _, body in bodies:
        chain = chain_after(chain, body)
        connection.execute("INSERT INTO events VALUES (?, ?, ?)", (at, chain, body.decode()))
    connection.execute("COMMIT")
    connection.close()
    return time.perf_counter() - start


def run(quick: bool) -> list[Row]:
    """One row for each way."""
    events = 30_000 if quick else GOAL_EVENTS
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        database = str(root / "db")
        token = grant_token(database, "bench", "ana", role=None, device="bench").token
        fill(database, events)
        with process("-m", "flowide", "serve", "--database", database, "--port", "0") as url:
            seat = Seat(f"{url}/bench", "ana", token)
            streamed = asyncio.run(_replica(seat, root / "streamed", snapshot=False))
            taken = asyncio.run(_replica(seat, root / "taken", snapshot=True))
        plain = _plain(database, root / "plain.db")
    scale = GOAL_EVENTS / events
    goal = f"≤ {GOAL_S:g} s for {GOAL_EVENTS:,} events"
    ways = (("a space is opened that has no replica yet", streamed), ("resync from the snapshot", taken))
    return [
        row(f"{name}, scaled to {GOAL_EVENTS:,} events", seconds * scale, "s", plain * scale, goal=goal,
            at_most=0, plus=GOAL_S)
        for name, seconds in ways
    ]  # fmt: skip
