"""Ten processes on one workspace: who gets how many turns, how soon a change is seen, and what watching costs."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import Row, row
from flowide.domain.actors import Actor
from flowide.domain.commands import AcquireLock, CreateArtifact, SaveArtifact
from flowide.space.open import open_space
from flowide.space.waiting import acquire

PROCESSES = 10
SHARED = "shared.md"


def fairness(shared: bool, seconds: float) -> tuple[float, float]:
    """Cycles of the slowest against the fastest process, and the longest cycle in median cycles."""
    with tempfile.TemporaryDirectory() as place:
        database = Path(place) / "workspace.db"
        asyncio.run(_prepare(database))
        mode = "shared" if shared else "own"
        workers = [_start(database, mode, f"w{at}", seconds) for at in range(PROCESSES)]
        while len(list(Path(place).glob("*.ready"))) < PROCESSES:
            time.sleep(0.01)
        (Path(place) / "go").touch()
        said = [worker.communicate()[0].split() for worker in workers]
    cycles = [int(each[0]) for each in said]
    longest = max(float(each[1]) for each in said)
    return min(cycles) / max(cycles), longest / (seconds / statistics.median(cycles))


def seen_after(changes: int) -> float:
    """Median seconds until a process that follows the log sees what another one committed."""
    with tempfile.TemporaryDirectory() as place:
        database = Path(place) / "workspace.db"
        asyncio.run(_prepare(database))
        watcher = _start(database, "watch", "watcher", changes)
        assert watcher.stdout is not None
        watcher.stdout.readline()
        asyncio.run(_change(database, changes))
        return float(watcher.communicate()[0])


def cost_of_watching(seconds: float) -> float:
    """Per cent of one CPU that a process takes which follows a log in which nothing happens."""
    with tempfile.TemporaryDirectory() as place:
        database = Path(place) / "workspace.db"
        asyncio.run(_prepare(database))
        return float(_start(database, "idle", "watcher", seconds).communicate()[0])


def _start(database: Path, *args: object) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sharing", str(database), *map(str, args)],
        stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip


async def _prepare(database: Path) -> None:
    space = await open_space(database, actor=Actor("ana"))
    for name in [SHARED, *(f"w{at}.md" for at in range(PROCESSES))]:
        await space.execute(CreateArtifact(path=name, id=name, text=""))
    await space.close()


async def _work(database: Path, shared: bool, me: str, seconds: float) -> None:
    space = await open_space(database, actor=Actor(me))
    artifact = SHARED if shared else f"{me}.md"
    database.with_name(f"{me}.ready").touch()
    _await(database.with_name("go"))
    end, cycles, longest = time.perf_counter() + seconds, 0, 0.0
    while (start := time.perf_counter()) < end:
        if shared:
            granted = await acquire(space, artifact, timeout_s=60)
        else:
            granted = (await space.execute(AcquireLock(artifact=artifact))).ok
        save = SaveArtifact(
            artifact=artifact,
            fence=granted.fence or 0,
            base=granted.version or 0,
            text=f"{me} {cycles}\n" * 200,
        )
        await space.execute(save)
        cycles += 1
        longest = max(longest, time.perf_counter() - start)
    print(cycles, longest)
    await space.close()


def _await(file: Path) -> None:
    while not file.exists():
        time.sleep(0.005)


async def _change(database: Path, changes: int) -> None:
    space = await open_space(database, actor=Actor("ana"))
    for at in range(changes):
        await asyncio.sleep(0.05 + at % 7 / 200)
        await space.execute(CreateArtifact(path=f"{time.monotonic_ns()}.md", text=""))
    await space.close()


async def _watch(database: Path, changes: int) -> None:
    """The time of a change is in its path: both processes read the same clock."""
    space = await open_space(database, actor=Actor("rod"))
    print("ready", flush=True)
    delays: list[float] = []
    async for event in space.events(await space.head(), follow=True):
        if event.type == "artifact.created":
            delays.append((time.monotonic_ns() - int(event.data["path"].removesuffix(".md"))) / 1e9)
            if len(delays) == changes:
                break
    print(statistics.median(delays))
    await space.close()


async def _idle(database: Path, seconds: float) -> None:
    space = await open_space(database, actor=Actor("rod"))

    async def follow() -> None:
        async for _ in space.events(await space.head(), follow=True):
            pass

    following = asyncio.create_task(follow())
    await asyncio.sleep(0.5)
    before = time.process_time()
    await asyncio.sleep(seconds)
    print(100 * (time.process_time() - before) / seconds)
    following.cancel()
    await space.close()


def run(quick: bool) -> list[Row]:
    """All rows of this benchmark; `quick` lets the processes work for 3 s instead of 20."""
    seconds = 3 if quick else 20
    rows = []
    for shared, least in ((False, 0.5), (True, 0.7)):
        share, longest = fairness(shared, seconds)
        what = "one artifact" if shared else "own artifacts"
        rows.append(
            row(f"{PROCESSES} writers, {what}: fastest to slowest", 1 / share, "×", 1, goal=f"≤ {1 / least:.2g} ×",
                at_most=1 / least)
        )  # fmt: skip
        rows.append(
            row(f"{PROCESSES} writers, {what}: longest wait in median cycles", longest, "cycles", 30,
                goal="≤ 30 cycles", at_most=1)
        )  # fmt: skip
    rows.append(
        row(
            "a change is seen by another process",
            seen_after(40) * 1000,
            "ms",
            25,
            goal="p50 ≤ 25 ms",
            at_most=1,
        )
    )
    rows.append(row("following a quiet log", cost_of_watching(seconds), "% CPU", 1, goal="≤ 1 %", at_most=1))
    return rows


def main(arguments: list[str]) -> None:
    """`DATABASE MODE NAME AMOUNT`: be one of the processes."""
    database, mode, name, amount = Path(arguments[0]), arguments[1], arguments[2], float(arguments[3])
    if mode == "watch":
        asyncio.run(_watch(database, round(amount)))
    elif mode == "idle":
        asyncio.run(_idle(database, amount))
    else:
        asyncio.run(_work(database, mode == "shared", name, amount))


if __name__ == "__main__":
    main(sys.argv[1:])
