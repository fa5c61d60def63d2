"""What a lock cycle costs in PostgreSQL: acquire, save 4 KiB and release, against the same rows with psycopg.

The baseline is what a small server would do: one connection, one cursor, one statement after the other, which psycopg
prepares by itself. It writes the same amount of rows in the same two commits: an event, the lock and its lease for the
acquire; two events, the content, the artifact, its version and the lock for the save; and each time the log's counter
and the stored reply. The server commits to disk (`fsync=on`, `synchronous_commit=on`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from benchmarks import Row, Skipped, row
from benchmarks.lock_cycle import ANA, CYCLES, ROUNDS, _event, body, grow
from flowide.domain.commands import AcquireLock, CreateArtifact, SaveArtifact
from flowide.domain.ids import uuid7
from flowide.space.local import LocalSpace
from flowide.store.by_url import create_space, open_store
from tests.postgres import Server

_TABLES = """
CREATE SCHEMA raw;
SET search_path = raw;
CREATE TABLE space (id int PRIMARY KEY, seq bigint) WITH (fillfactor = 20);
CREATE TABLE events (seq bigint PRIMARY KEY, body text);
CREATE TABLE replies (id text PRIMARY KEY, reply text);
CREATE TABLE locks (artifact text PRIMARY KEY, state text, fence bigint, actor text);
CREATE TABLE leases (key text PRIMARY KEY, fence bigint, deadline bigint);
CREATE TABLE artifacts (id text PRIMARY KEY, version bigint, sha256 text);
CREATE TABLE versions (artifact text, version bigint, sha256 text, body text, PRIMARY KEY (artifact, version));
CREATE TABLE blobs (sha256 text PRIMARY KEY, data bytea);
ALTER TABLE blobs ALTER data SET STORAGE EXTERNAL;
INSERT INTO space VALUES (1, 0);
INSERT INTO locks VALUES ('a', 'free', 0, NULL);
INSERT INTO artifacts VALUES ('a', 0, '');
"""


class Ours:
    """The real space on its store."""

    def __init__(self, url: str, name: str, *, events: int = 0) -> None:
        create_space(url, name)
        self.space = LocalSpace(open_store(url, name), ANA)
        if events:
            grow(self.space.store, events)

    async def prepare(self) -> None:
        """Make the artifact that is worked on."""
        self.artifact = (await self.space.execute(CreateArtifact(path="a.py", text=""))).ok.artifact

    async def cycle(self, at: int) -> None:
        """Acquire, save and release."""
        granted = (await self.space.execute(AcquireLock(artifact=self.artifact, purpose="edit"))).ok
        save = SaveArtifact(
            artifact=self.artifact, fence=granted.fence or 0, base=granted.version or 0, text=body(at)
        )
        await self.space.execute(save)


class Raw:
    """The least that writes the same rows in the same commits, through a cursor of psycopg."""

    def __init__(self, url: str) -> None:
        import psycopg

        self.connection = psycopg.connect(url, autocommit=True, prepare_threshold=1)
        self.connection.execute(_TABLES.encode())

    def cycle(self, at: int) -> None:
        """Acquire, save and release."""
        self.save(at, self.acquire(at))

    def acquire(self, at: int) -> int:
        """Take the lock; its fence."""
        run = self.connection.execute
        run("BEGIN")
        [(seq,)] = run("SELECT seq FROM space FOR UPDATE").fetchall()
        assert run("SELECT reply FROM replies WHERE id = %s", (uuid7(),)).fetchall() == []
        [(state, fence)] = run("SELECT state, fence FROM locks WHERE artifact = 'a'").fetchall()
        assert state == "free"
        fence += 1
        run("INSERT INTO events VALUES (%s, %s)", (seq + 1, _event(seq + 1, "lock.acquired", fence=fence)))
        run("UPDATE locks SET state = 'held', fence = %s, actor = 'ana' WHERE artifact = 'a'", (fence,))
        run("INSERT INTO leases VALUES ('lock:a', %s, %s)", (fence, at))
        run("UPDATE space SET seq = %s", (seq + 1,))
        run("INSERT INTO replies VALUES (%s, %s)", (uuid7(), json.dumps({"fence": fence})))
        run("COMMIT")
        return int(fence)

    def save(self, at: int, fence: int) -> None:
        """Save 4 KiB and release."""
        run = self.connection.execute
        data = body(at).encode()
        digest = sha256(data).hexdigest()
        run("BEGIN")
        [(seq,)] = run("SELECT seq FROM space FOR UPDATE").fetchall()
        assert run("SELECT reply FROM replies WHERE id = %s", (uuid7(),)).fetchall() == []
        [(state, held)] = run("SELECT state, fence FROM locks WHERE artifact = 'a'").fetchall()
        [(version,)] = run("SELECT version FROM artifacts WHERE id = 'a'").fetchall()
        assert (state, held) == ("held", fence)
        saved = _event(seq + 1, "artifact.saved", fence=fence, version=version + 1, sha256=digest)
        run("INSERT INTO events VALUES (%s, %s)", (seq + 1, saved))
        run("INSERT INTO events VALUES (%s, %s)", (seq + 2, _event(seq + 2, "lock.released", fence=fence)))
        run("INSERT INTO blobs VALUES (%s, %s) ON CONFLICT DO NOTHING", (digest, data))
        run("INSERT INTO versions VALUES ('a', %s, %s, %s)", (version + 1, digest, saved))
        run("UPDATE artifacts SET version = %s, sha256 = %s WHERE id = 'a'", (version + 1, digest))
        run("UPDATE locks SET state = 'free', actor = NULL WHERE artifact = 'a'")
        run("DELETE FROM leases WHERE key = 'lock:a'")
        run("UPDATE space SET seq = %s", (seq + 2,))
        run("INSERT INTO replies VALUES (%s, %s)", (uuid7(), json.dumps({"version": version + 1})))
        run("COMMIT")


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """A PostgreSQL of its own.

    Raises:
        Skipped: There is none to be had here.
    """
    try:
        started = Server(durable=True)
    except pytest.skip.Exception as reason:
        raise Skipped(str(reason)) from None
    try:
        yield started
    finally:
        started.close()


def against_raw(url: str) -> tuple[float, float]:
    """Median seconds of one cycle, ours and raw, taken in turns."""

    async def in_turns() -> tuple[list[float], list[float]]:
        ours, raw = Ours(url, "ours"), Raw(url)
        await ours.prepare()
        mine: list[float] = []
        theirs: list[float] = []
        for at in range(CYCLES * (ROUNDS + 1)):
            start = time.perf_counter()
            await ours.cycle(at)
            half = time.perf_counter()
            # A server has a thread of its own for it, too: an event loop must not wait for a database.
            await asyncio.to_thread(raw.cycle, at)
            end = time.perf_counter()
            if at >= CYCLES:  # the first ones warm up
                mine.append(half - start)
                theirs.append(end - half)
        await ours.space.close()
        raw.connection.close()
        return mine, theirs

    mine, theirs = asyncio.run(in_turns())
    return statistics.median(mine), statistics.median(theirs)


def growth(url: str, small: int, large: int) -> tuple[float, float]:
    """Median seconds of one cycle on a history of `large` events and on one of `small`, taken in turns."""

    async def in_turns(spaces: list[Ours]) -> list[list[float]]:
        seconds: list[list[float]] = [[] for _ in spaces]
        for ours in spaces:
            await ours.prepare()
        for at in range(CYCLES * (ROUNDS + 1)):
            for taken, ours in zip(seconds, spaces, strict=True):
                start = time.perf_counter()
                await ours.cycle(at)
                if at >= CYCLES:
                    taken.append(time.perf_counter() - start)
        for ours in spaces:
            await ours.space.close()
        return seconds

    spaces = [Ours(url, "large", events=large), Ours(url, "small", events=small)]
    grown, fresh = asyncio.run(in_turns(spaces))
    return statistics.median(grown), statistics.median(fresh)


def trips_of_a_cycle(url: str) -> int:
    """Round trips to the server in one cycle."""
    from flowide.store.postgres.wire import Session

    trips: list[Any] = []
    plain = Session.run

    def counted(self: Session, *args: Any, **more: Any) -> Any:
        trips.append(args)
        return plain(self, *args, **more)

    async def one() -> None:
        ours = Ours(url, "trips")
        await ours.prepare()
        await ours.cycle(1)
        Session.run = counted  # type: ignore[method-assign] # counted from outside
        try:
            await ours.cycle(2)
        finally:
            Session.run = plain  # type: ignore[method-assign]
        await ours.space.close()

    asyncio.run(one())
    return len(trips)


def run(quick: bool) -> list[Row]:
    """All rows of this benchmark; `quick` grows the history to 1e5 events instead of 1e6."""
    with server() as started:
        url = started.url()
        mine, theirs = against_raw(url)
        rows = [
            row(
                "PostgreSQL lock cycle: acquire, save 4 KiB and release",
                mine * 1e6,
                "µs",
                theirs * 1e6,
                goal="≤ 1.5 × psycopg with the same rows",
                at_most=1.5,
            ),
            row("round trips of it", trips_of_a_cycle(url), "trips", 28, goal="fewer than its 28", at_most=1),
        ]
        large_events = 100_000 if quick else 1_000_000
        large, small = growth(url, 100, large_events)
        name = f"PostgreSQL lock cycle after {large_events:,} events against after 100"
        rows.append(row(name, large * 1e6, "µs", small * 1e6, goal="≤ 1.3 × itself", at_most=1.3))
        return rows
