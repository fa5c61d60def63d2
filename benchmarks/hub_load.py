"""A busy hub: 20 spaces with 10 actors each, all writing drafts that others watch; how long a save takes, and memory.

Each actor holds an artifact, adds to its draft every second, saves every few seconds, and watches the draft of the next
one. The promise is of milliseconds on a machine that does nothing else, so a busy machine misses it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from benchmarks import Row, Skipped, row
from benchmarks._hub import Line, connect, process
from flowide.domain.ids import uuid7
from flowide.space.keys import grant_token

SPACES = 20
ACTORS = 10
SAVE_EVERY = 4
"""Seconds, which are as many additions to a draft."""


class Actor:
    """One person at work in a space."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._client = str(uuid4())
        self.saves: list[tuple[float, float]] = []
        """When each began, and how long it took."""

    async def _do(self, cmd: str, args: dict[str, object]) -> dict[str, object]:
        call = {"id": uuid7(), "cmd": cmd, "args": args}
        said = await self._line.ask(
            {"type": "cmds", "client": self._client, "cmds": [call]}, b'{"type":"res"'
        )
        ok: dict[str, object] = said["results"][0]["ok"]
        return ok

    async def prepare(self, name: str) -> str:
        """Make the artifact that is worked on; its id."""
        made = await self._do("artifact.create", {"path": name, "text": ""})
        self.artifact = str(made["artifact"])
        return self.artifact

    async def work(self, other: str, until: float) -> None:
        """Write, save, and watch somebody else."""
        self._line.send(b'{"type":"sub","drafts":["' + other.encode() + b'"]}')
        await asyncio.sleep(hash(self._client) % 1000 / 1000)
        while time.perf_counter() < until:
            held = await self._do("lock.acquire", {"artifact": self.artifact})
            text = ""
            for _ in range(SAVE_EVERY):
                more = "words and words " * 64
                add = {"artifact": self.artifact, "fence": held["fence"], "off": len(text), "text": more}
                await self._do("draft.append", add)
                text += more
                await asyncio.sleep(1)
            save = {"artifact": self.artifact, "fence": held["fence"], "base": held["version"], "text": text}
            start = time.perf_counter()
            await self._do("artifact.save", save)
            self.saves.append((start, time.perf_counter() - start))


async def _run(url: str, tokens: list[str], pid: int, seconds: float) -> tuple[float, float]:
    """Seconds that all but one of a hundred saves take at most, and MiB by which the hub grows in the second half."""
    spaces = []
    for at, token in enumerate(tokens):
        lines = [await connect(f"{url}/v1/spaces/s{at}/stream?after=0&chain=", token) for _ in range(ACTORS)]
        spaces.append([Actor(line) for line in lines])
    for actors in spaces:
        for number, actor in enumerate(actors):
            await actor.prepare(f"{number}.md")
    start = time.perf_counter()
    half, end = start + seconds / 2, start + seconds
    working = [
        asyncio.create_task(actor.work(actors[at - 1].artifact, end))
        for actors in spaces
        for at, actor in enumerate(actors)
    ]
    await asyncio.sleep(half - time.perf_counter())
    before = _resident_mib(pid)
    await asyncio.gather(*working)
    grown = _resident_mib(pid) - before
    took = [took for actors in spaces for actor in actors for began, took in actor.saves if began > start + 5]
    return statistics.quantiles(took, n=100)[98], grown


def _resident_mib(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise Skipped("there is no /proc to read memory from")


def _newest_child() -> int:
    """The hub is the newest child of this process."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if not children.exists():
        raise Skipped("there is no /proc to find the hub in")
    return int(children.read_text().split()[-1])


def run(quick: bool) -> list[Row]:
    """All rows of this benchmark; not `quick` works for three minutes."""
    seconds = 25.0 if quick else 180.0
    with tempfile.TemporaryDirectory() as place:
        database = str(Path(place) / "hub")
        tokens = [
            grant_token(database, f"s{at}", "ana", role=None, device="bench").token for at in range(SPACES)
        ]
        with process("-m", "flowide", "serve", "--database", database, "--port", "0") as url:
            slow, grown = asyncio.run(_run(url, tokens, _newest_child(), seconds))
    return [
        row("save, p99, 20 spaces × 10 actors", slow * 1e3, "ms", 150, goal="< 150 ms", at_most=1),
        row("memory in the second half of it", max(0.0, grown), "MiB", 8, goal="≤ 8 MiB more", at_most=1),
    ]
