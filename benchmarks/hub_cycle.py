"""What a lock cycle costs over a hub's WebSocket, against a minimal Starlette server with the same statements.

Acquire, then a save of 4 KiB that releases: two commands, two answers. The baseline is Starlette on uvicorn with one
WebSocket and the hand-written statements of `lock_cycle` (SQLite) and `postgres_cycle` (psycopg): no rules, no chain,
no roles, no stream. Both are processes of their own on loopback, spoken to by the same client, in turns.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from benchmarks import Row, Skipped, row
from benchmarks._hub import Line, connect, hub, process
from benchmarks.lock_cycle import body
from flowide.domain.ids import uuid7

WARM = 40
PACE_S = 0.045
"""Between cycles: a hub takes 50 commands a second of one client in the long run."""


class OfHub:
    """Cycles on the hub."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._client = str(uuid4())

    async def prepare(self) -> None:
        """Make the artifact that is worked on."""
        made = await self._do("artifact.create", {"path": "a.py", "text": ""})
        self._artifact = made["artifact"]

    async def cycle(self, at: int) -> None:
        """Acquire, save and release."""
        held = await self._do("lock.acquire", {"artifact": self._artifact, "purpose": "edit"})
        save = {"artifact": self._artifact, "fence": held["fence"], "base": held["version"], "text": body(at)}
        await self._do("artifact.save", save)

    async def _do(self, cmd: str, args: dict[str, object]) -> dict[str, object]:
        call = {"id": uuid7(), "cmd": cmd, "args": args}
        said = await self._line.ask(
            {"type": "cmds", "client": self._client, "cmds": [call]}, b'{"type":"res"'
        )
        ok: dict[str, object] = said["results"][0]["ok"]
        return ok


class OfSmallServer:
    """Cycles on the baseline."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def cycle(self, at: int) -> None:
        """Acquire, save and release."""
        held = await self._line.ask({"do": "acquire", "at": at, "id": uuid7()}, b"{")
        save = {"do": "save", "at": at, "fence": held["ok"]["fence"], "text": body(at), "id": uuid7()}
        await self._line.ask(save, b"{")


async def in_turns(ours_at: tuple[str, str], theirs_at: str, cycles: int) -> tuple[float, float]:
    """Median seconds of a cycle here and there."""
    lines = await connect(*ours_at), await connect(theirs_at)
    ours, theirs = OfHub(lines[0]), OfSmallServer(lines[1])
    await ours.prepare()
    mine: list[float] = []
    others: list[float] = []
    for at in range(WARM + cycles):
        start = time.perf_counter()
        await ours.cycle(at)
        half = time.perf_counter()
        await theirs.cycle(at)
        end = time.perf_counter()
        if at >= WARM:
            mine.append(half - start)
            others.append(end - half)
        await asyncio.sleep(PACE_S)
    for line in lines:
        line.close()
    return statistics.median(mine), statistics.median(others)


def on_sqlite(cycles: int) -> tuple[float, float]:
    """Medians on SQLite."""
    with (
        tempfile.TemporaryDirectory() as place,
        hub(str(Path(place) / "hub")) as ours,
        process("-m", "benchmarks._small_server", "cycles") as theirs,
    ):
        return asyncio.run(in_turns(ours, theirs, cycles))


def on_postgres(cycles: int) -> tuple[float, float]:
    """Medians on PostgreSQL.

    Raises:
        Skipped: There is none to be had here.
    """
    from benchmarks.postgres_cycle import server

    with server() as started:
        url = started.url()
        from flowide.store.by_url import create_space

        create_space(url, "bench")
        with hub(url) as ours, process("-m", "benchmarks._small_server", "cycles", url) as theirs:
            return asyncio.run(in_turns(ours, theirs, cycles))


def run(quick: bool) -> list[Row]:
    """All rows of this benchmark."""
    cycles = 150 if quick else 600
    mine, theirs = on_sqlite(cycles)
    goal = "≤ 1.5 × a minimal Starlette server"
    rows = [
        row("lock cycle over a WebSocket, SQLite", mine * 1e6, "µs", theirs * 1e6, goal=goal, at_most=1.5)
    ]
    try:
        mine, theirs = on_postgres(cycles)
    except Skipped:
        return rows
    return [
        *rows,
        row(
            "lock cycle over a WebSocket, PostgreSQL", mine * 1e6, "µs", theirs * 1e6, goal=goal, at_most=1.5
        ),
    ]
