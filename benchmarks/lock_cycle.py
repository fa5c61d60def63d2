"""What a lock cycle costs: acquire, then a save of 4 KiB that releases, against raw SQLite doing the same commits.

The baseline writes the same amount of rows with hand-written statements on the same SQLite library and settings:
an event, the lock and its lease for the acquire; two events, the content, the artifact, its version and the lock
for the save; and each time the log's counter and the stored reply.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks import Row, row
from flowide.domain.actors import Actor
from flowide.domain.commands import AcquireLock, CreateArtifact, SaveArtifact
from flowide.domain.events import Event, actor_data, canonical_json, chain_after
from flowide.domain.facts import ArtifactCreated, ArtifactSaved, Fact, Holder, LockAcquired, LockReleased
from flowide.domain.ids import uuid7
from flowide.space.clock import wall_now
from flowide.space.local import LocalSpace
from flowide.store.api import Store, StoredReply, Tx
from flowide.store.explained import sqlite3
from flowide.store.projections import project
from flowide.store.sqlite import SqliteStore

ANA = Actor("ana")
BODY_BYTES = 4096
ROUNDS = 15
CYCLES = 20


_LINES = "".join(f"line {line} of a text: {line * line}\n" for line in range(200))[: BODY_BYTES - 16]


def body(at: int) -> str:
    """4 KiB of text, another one for each `at`; making it costs nothing beside a cycle."""
    return f"{_LINES}{at:>15}\n"


class Ours:
    """The real space on its database."""

    def __init__(self, folder: Path) -> None:
        self.space = LocalSpace(SqliteStore(folder / "ours.db"), ANA)
        self.loop = asyncio.new_event_loop()
        made = self.loop.run_until_complete(self.space.execute(CreateArtifact(path="a.py", text="")))
        self.artifact = made.ok.artifact

    def cycle(self, at: int) -> None:
        self.loop.run_until_complete(self.cycle_here(at))

    async def cycle_here(self, at: int) -> None:
        """A cycle in the loop that is running."""
        granted = (await self.space.execute(AcquireLock(artifact=self.artifact, purpose="edit"))).ok
        save = SaveArtifact(
            artifact=self.artifact, fence=granted.fence or 0, base=granted.version or 0, text=body(at)
        )
        await self.space.execute(save)

    def close(self) -> None:
        self.loop.run_until_complete(self.space.close())
        self.loop.close()


class Raw:
    """The least that writes the same rows in the same commits."""

    def __init__(self, folder: Path) -> None:
        self.connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
        run = self.connection.execute
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            run(f"PRAGMA {pragma}").fetchall()
        run("CREATE TABLE space (id INTEGER PRIMARY KEY, seq INTEGER)")
        run("CREATE TABLE events (seq INTEGER PRIMARY KEY, body TEXT)")
        run("CREATE TABLE replies (id TEXT PRIMARY KEY, reply TEXT) WITHOUT ROWID")
        run(
            "CREATE TABLE locks (artifact TEXT PRIMARY KEY, state TEXT, fence INTEGER, actor TEXT) WITHOUT ROWID"
        )
        run("CREATE TABLE leases (key TEXT PRIMARY KEY, fence INTEGER, deadline INTEGER) WITHOUT ROWID")
        run("CREATE TABLE artifacts (id TEXT PRIMARY KEY, version INTEGER, sha256 TEXT) WITHOUT ROWID")
        run(
            "CREATE TABLE versions (artifact TEXT, version INTEGER, sha256 TEXT, body TEXT, "
            "PRIMARY KEY (artifact, version)) WITHOUT ROWID"
        )
        run("CREATE TABLE blobs (sha256 TEXT PRIMARY KEY, data BLOB)")
        run("INSERT INTO space VALUES (1, 0)")
        run("INSERT INTO locks VALUES ('a', 'free', 0, NULL)")
        run("INSERT INTO artifacts VALUES ('a', 0, '')")

    def cycle(self, at: int) -> None:
        """Acquire, save and release."""
        self.save(at, self.acquire(at))

    def acquire(self, at: int) -> int:
        """Take the lock; its fence."""
        run = self.connection.execute
        run("BEGIN IMMEDIATE")
        (seq,) = run("SELECT seq FROM space").fetchone()
        state, fence = run("SELECT state, fence FROM locks WHERE artifact = 'a'").fetchone()
        assert state == "free"
        fence += 1
        run("INSERT INTO events VALUES (?, ?)", (seq + 1, _event(seq + 1, "lock.acquired", fence=fence)))
        run("UPDATE locks SET state = 'held', fence = ?, actor = 'ana' WHERE artifact = 'a'", (fence,))
        run("INSERT OR REPLACE INTO leases VALUES ('lock:a', ?, ?)", (fence, at))
        run("UPDATE space SET seq = ?", (seq + 1,))
        run("INSERT INTO replies VALUES (?, ?)", (uuid7(), json.dumps({"fence": fence})))
        run("COMMIT")
        return int(fence)

    def save(self, at: int, fence: int) -> None:
        """Save 4 KiB and release."""
        run = self.connection.execute
        data = body(at).encode()
        digest = sha256(data).hexdigest()
        run("BEGIN IMMEDIATE")
        (seq,) = run("SELECT seq FROM space").fetchone()
        state, held = run("SELECT state, fence FROM locks WHERE artifact = 'a'").fetchone()
        (version,) = run("SELECT version FROM artifacts WHERE id = 'a'").fetchone()
        assert (state, held) == ("held", fence)
        saved = _event(seq + 1, "artifact.saved", fence=fence, version=version + 1, sha256=digest)
        run("INSERT INTO events VALUES (?, ?)", (seq + 1, saved))
        run("INSERT INTO events VALUES (?, ?)", (seq + 2, _event(seq + 2, "lock.released", fence=fence)))
        run("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (digest, data))
        run("INSERT INTO versions VALUES ('a', ?, ?, ?)", (version + 1, digest, saved))
        run("UPDATE artifacts SET version = ?, sha256 = ? WHERE id = 'a'", (version + 1, digest))
        run("UPDATE locks SET state = 'free', actor = NULL WHERE artifact = 'a'")
        run("DELETE FROM leases WHERE key = 'lock:a'")
        run("UPDATE space SET seq = ?", (seq + 2,))
        run("INSERT INTO replies VALUES (?, ?)", (uuid7(), json.dumps({"version": version + 1})))
        run("COMMIT")

    def close(self) -> None:
        self.connection.close()


def _event(seq: int, type: str, **data: Any) -> str:
    return json.dumps(
        {
            "v": 1,
            "seq": seq,
            "ts": wall_now(),
            "actor": {"id": "ana", "kind": "human"},
            "type": type,
            "data": data,
        }
    )


def against_raw() -> tuple[float, float]:
    """Median seconds of one cycle, ours and raw, taken in turns."""
    with tempfile.TemporaryDirectory() as place:
        ours, raw = Ours(Path(place)), Raw(Path(place))
        mine, theirs = ours.loop.run_until_complete(_in_turns(ours, raw))
        ours.close()
        raw.close()
    return statistics.median(mine), statistics.median(theirs)


async def _in_turns(ours: Ours, raw: Raw) -> tuple[list[float], list[float]]:
    """Seconds of each cycle, inside one running event loop, as every client has one."""
    mine: list[float] = []
    theirs: list[float] = []
    for at in range(CYCLES * (ROUNDS + 1)):
        start = time.perf_counter()
        await ours.cycle_here(at)
        half = time.perf_counter()
        raw.cycle(at)
        end = time.perf_counter()
        if at >= CYCLES:  # the first ones warm up
            mine.append(half - start)
            theirs.append(end - half)
    return mine, theirs


def _timed(cycle: Callable[[int], None], at: int) -> float:
    start = time.perf_counter()
    cycle(at)
    return time.perf_counter() - start


# --- growth -----------------------------------------------------------------------------------------


def grow(store: Store, events: int, artifacts: int = 100) -> None:
    """Write a history of so many events: rounds of locks and saves on a hundred artifacts, with their replies."""
    made: dict[str, int] = {}
    while store.position().seq < events:
        with store.write() as tx:
            for _ in range(2000):
                name = f"history-{len(made) if len(made) < artifacts else tx.position().seq % artifacts}"
                _one_cycle(tx, name, made)
                if tx.position().seq >= events:
                    break


def _one_cycle(tx: Tx, artifact: str, made: dict[str, int]) -> None:
    """The events of one cycle, folded as the arbiter folds them."""
    version = made[artifact] = made.get(artifact, 0) + 1
    content = f"{artifact} {version}\n".encode()
    digest = sha256(content).hexdigest()
    tx.put_blob(digest, content)
    saved = ArtifactCreated if version == 1 else ArtifactSaved
    extra: dict[str, Any] = {"kind": "code"} if version == 1 else {}
    facts: list[Fact] = [
        LockAcquired(artifact=artifact, fence=version, holder=Holder("ana", "c"), ttl_ms=30_000),
        saved(
            artifact=artifact,
            path=artifact,
            version=version,
            base=version - 1,
            sha256=digest,
            size=len(content),
            fence=version,
            **extra,
        ),
        LockReleased(artifact=artifact, fence=version),
    ]
    id = uuid7()
    for fact in facts:
        at = tx.position()
        fields: dict[str, Any] = {
            "v": 1,
            "seq": at.seq + 1,
            "ts": "2026-01-01T00:00:00.000Z",
            "actor": actor_data(ANA),
            "client": "c",
            "cmd": id,
            "type": fact.event_type(),
            "data": fact.to_data(),
        }
        canonical = canonical_json(fields)
        event = Event(chain=chain_after(at.chain, canonical), **fields)
        tx.append(event, canonical)
        changes = project(tx, event, fact)
        tx.drop(changes.drop)
        tx.put(changes.put)
    tx.put_reply(id, StoredReply(digest, b'{"seq": 0, "ok": {}}'), time.time_ns() // 1_000_000)


def growth(small: int, large: int) -> tuple[float, float]:
    """Median seconds of one cycle on a history of `large` events and on one of `small`, taken in turns."""
    with tempfile.TemporaryDirectory() as place:
        spaces = []
        for name, events in (("large", large), ("small", small)):
            folder = Path(place) / name
            folder.mkdir()
            ours = Ours(folder)
            store = ours.space.store
            assert isinstance(store, SqliteStore)
            grow(store, events)
            spaces.append(ours)
        seconds: list[list[float]] = [[], []]
        for at in range(CYCLES):
            for ours in spaces:
                ours.cycle(at)
        at = CYCLES
        for _ in range(ROUNDS):
            for which, ours in enumerate(spaces):
                for _ in range(CYCLES):
                    at += 1
                    seconds[which].append(_timed(ours.cycle, at))
        for ours in spaces:
            ours.close()
        return statistics.median(seconds[0]), statistics.median(seconds[1])


# --- exact counts -----------------------------------------------------------------------------------


def commits_of_a_cycle() -> int:
    """Commits in one cycle, as the database library reports them."""
    with tempfile.TemporaryDirectory() as place:
        ours = Ours(Path(place))
        ours.cycle(1)
        seen: list[str] = []
        store = ours.space.store
        assert isinstance(store, SqliteStore)
        store.trace(seen.append)
        ours.cycle(2)
        ours.close()
        return sum(statement == "COMMIT" for statement in seen)


def fsyncs_of_a_cycle(cycles: int = 20) -> float | None:
    """Calls of fsync and fdatasync for one cycle, counted by strace; None where there is no strace.

    Few enough cycles that no checkpoint falls among them.
    """
    if shutil.which("strace") is None:
        return None
    with tempfile.TemporaryDirectory() as place:
        counts = []
        for count in (0, cycles):
            trace = Path(place) / f"trace-{count}"
            folder = Path(place) / str(count)
            folder.mkdir()
            subprocess.run(
                ["strace", "-f", "-e", "trace=fsync,fdatasync", "-o", str(trace), sys.executable, "-m",
                 "benchmarks.lock_cycle", str(count), str(folder)],
                check=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            )  # fmt: skip
            counts.append(sum("sync(" in line for line in trace.read_text().splitlines()))
        return (counts[1] - counts[0]) / cycles


def run(quick: bool) -> list[Row]:
    """All rows of this benchmark; `quick` grows the history to 1e5 events instead of 1e6."""
    ours, raw = against_raw()
    rows = [
        row(
            "lock cycle: acquire, save 4 KiB and release",
            ours * 1e6,
            "µs",
            raw * 1e6,
            goal="≤ 2 × raw sqlite3",
            at_most=2,
        ),
        row("commits of a lock cycle", commits_of_a_cycle(), "commits", 2, goal="2", at_most=1),
    ]
    fsyncs = fsyncs_of_a_cycle()
    if fsyncs is not None:
        rows.append(row("fsyncs of a lock cycle", fsyncs, "fsyncs", 3.2, goal="≤ 3.2", at_most=1))
    large_events = 100_000 if quick else 1_000_000
    large, small = growth(100, large_events)
    name = f"lock cycle after {large_events:,} events against after 100"
    rows.append(row(name, large * 1e6, "µs", small * 1e6, goal="≤ 1.2 × itself", at_most=1.2))
    return rows


def main(arguments: list[str]) -> None:
    """`CYCLES FOLDER`: only run so many cycles, to be counted from outside."""
    with contextlib.closing(Ours(Path(arguments[1]))) as ours:
        for at in range(int(arguments[0])):
            ours.cycle(at)


if __name__ == "__main__":
    main(sys.argv[1:])
