"""Runs histories: starts the processes, kills and stops them at random, and has the checker look at the rest."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path

from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.space import queries as q
from flowide.space.local import LocalSpace
from flowide.store.by_url import create_space, open_store
from tests.histories import Report
from tests.postgres import Server
from tests.space.torture.history import History

ROOT = Path(__file__).parents[3]


class Crew:
    """The processes of a history; one that was killed is replaced by a new one of the same name."""

    def __init__(self, folder: Path, database: str, space: str, seed: int) -> None:
        self.folder = folder
        self.database = database
        self.space = space
        self.random = random.Random(seed)
        self.alive: dict[str, subprocess.Popen[bytes]] = {}
        self.started = 0
        self.errors = folder / "errors.txt"

    def start(self, name: str) -> None:
        self.started += 1
        journal = self.folder / f"journal-{self.started}-{name}.jsonl"
        with self.errors.open("ab") as errors:
            self.alive[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.space.torture.worker", self.database, self.space, name, str(journal),
                 str(self.random.randrange(2**32))],
                cwd=ROOT, stderr=errors, env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    def kill(self) -> None:
        name = self.random.choice(list(self.alive))
        process = self.alive.pop(name)
        process.kill()
        process.wait()
        self.start(name)

    def stop_for(self, seconds: float) -> None:
        process = self.random.choice(list(self.alive.values()))
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    def finish(self) -> list[str]:
        """Ask all to end; what any of them printed or how any of them failed."""
        (self.folder / "stop").touch()
        codes = {name: process.wait(60) for name, process in self.alive.items()}
        said = self.errors.read_text() if self.errors.exists() else ""
        return [f"{name} ended with {code}" for name, code in codes.items() if code] + [said] * bool(said)


async def prepare(database: str, name: str, artifacts: int) -> None:
    create_space(database, name)
    space = LocalSpace(open_store(database, name), Actor("ana"))
    for at in range(artifacts):
        await space.execute(c.CreateArtifact(path=f"{at}.md", text=""))
    await space.close()


async def audit(database: str, name: str, history: History) -> list[str]:
    """Read the log, and have it verified."""
    space = LocalSpace(open_store(database, name), Actor("ana"))
    history.events = [event async for event in space.events()]
    problems = [f"verify: {problem.what}" for problem in await space.read(q.Verify())]
    await space.close()
    return problems


def one_history(
    folder: Path,
    seed: int,
    *,
    processes: int = 8,
    seconds: float = 6.0,
    artifacts: int = 5,
    faults_hz: float = 2.0,
    server: Server | None = None,
) -> Report:
    """One history in an empty folder; with a `server`, in a space there, and its faults come to those of processes."""
    database = server.url() if server is not None else str(folder / "workspace.db")
    name = "workspace" if server is None else f"history{uuid.uuid4().hex}"
    asyncio.run(prepare(database, name, artifacts))
    crew, report = Crew(folder, database, name, seed), Report(histories=1)
    for at in range(processes):
        crew.start(f"w{at}")
    while len(list(folder.glob("journal-*"))) < processes:
        time.sleep(0.02)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(crew.random.expovariate(faults_hz))
        if server is not None and crew.random.random() < 0.5:
            report.faults[_harm(server, crew.random)] += 1
        elif crew.random.random() < 0.6:
            crew.kill()
            report.faults["SIGKILL"] += 1
        else:
            crew.stop_for(crew.random.uniform(0.05, 1.2))
            report.faults["SIGSTOP"] += 1
    report.violations += crew.finish()

    history = History()
    for journal in sorted(folder.glob("journal-*")):
        history.read_journal(journal)
    report.violations += asyncio.run(audit(database, name, history))
    report.violations += history.check()
    calls = history.calls.values()
    report.operations = len(calls)
    report.answered = sum(call.answered is not None for call in calls)
    report.saves = sum(event.type == "artifact.saved" for event in history.events)
    report.refusals = Counter(call.err["code"] for call in calls if call.err is not None)
    report.faults["storage refusals"] += len(history.storage)
    lapses = sum(event.type == "lock.lapsed" for event in history.events)
    report.faults["lapses"] += lapses
    return report


def _harm(server: Server, chance: random.Random) -> str:
    """End some connections, or now and then all of them with their server; what was done."""
    if chance.random() < 0.1:
        how = chance.choice([signal.SIGINT, signal.SIGQUIT])
        server.stop(how)
        time.sleep(chance.uniform(0, 0.5))
        server.start()
        return "restarts of the server"
    server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'flowide' "
        "AND pid <> pg_backend_pid() ORDER BY random() LIMIT 3"
    )
    return "killings of backends"


def many(histories: int, seconds: float, seed: int, *, server: Server | None = None) -> Report:
    """Several histories, each in a folder of its own."""
    total = Report()
    for at in range(histories):
        with tempfile.TemporaryDirectory() as folder:
            total.add(one_history(Path(folder), seed + at, seconds=seconds, server=server))
        print(
            f"history {at + 1}: {total.operations} operations so far, {len(total.violations)} violations",
            file=sys.stderr,
        )
    return total
