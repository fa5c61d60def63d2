"""Runs histories: a hub and its clients as processes, killed and stopped, and lines that break in all ways."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from flowide.domain import commands as c
from flowide.domain.actors import Actor, Caller
from flowide.domain.ids import uuid7
from flowide.space import queries as q
from flowide.space.arbiter import Work, run
from flowide.space.clock import SystemClock
from flowide.space.keys import grant_token
from flowide.space.reads import answer
from flowide.store.by_url import open_store
from tests.histories import Report
from tests.hub.chaos.history import RemoteHistory
from tests.space.remote.proxy import Proxy

ROOT = Path(__file__).parents[3]
SPACE = "chaos"


class Hub:
    """`flowide serve` on one port, killed and started again."""

    def __init__(self, folder: Path, database: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as found:
            self.port = int(found.getsockname()[1])
        self._command = [
            sys.executable, "-m", "flowide", "serve", "--database", database, "--port", str(self.port),
            "--log-level", "error",
        ]  # fmt: skip
        self._turn = None if "://" in database else Path(database) / f"{SPACE}.db.turn"
        """Whoever has locked it writes."""
        self.errors = folder / "hub.txt"
        self.process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors, env=_env()
            )
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5).close()
                return
            except OSError:
                assert self.process.poll() is None, self.errors.read_text()
                time.sleep(0.05)
        raise AssertionError("the hub does not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.start()

    def stop_for(self, seconds: float) -> None:
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)

    def hold_up(self, seconds: float) -> None:
        """Have the hub write nothing for so long, while it answers pings and questions; SQLite only."""
        if self._turn is not None:
            with self._turn.open("ab") as turn:
                fcntl.flock(turn, fcntl.LOCK_EX)
                time.sleep(seconds)

    def end(self) -> str:
        self.process.terminate()
        self.process.wait(120)
        return self.errors.read_text()


class Crew:
    """Clients, each on a machine of its own and behind a proxy; one that was killed comes back on the same machine."""

    def __init__(self, folder: Path, hub: Hub, tokens: dict[str, str], chance: random.Random) -> None:
        self.folder, self.hub, self.tokens, self.random = folder, hub, tokens, chance
        self.proxies = {name: Proxy(hub.port).__enter__() for name in tokens}
        self.alive: dict[str, subprocess.Popen[bytes]] = {}
        self.errors = folder / "errors.txt"
        self.started = 0

    def start(self, name: str) -> None:
        self.started += 1
        journal = self.folder / f"journal-{self.started}-{name}.jsonl"
        with self.errors.open("ab") as errors:
            self.alive[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.hub.chaos.worker",
                 f"http://127.0.0.1:{self.proxies[name].port}/{SPACE}", name, str(self.folder / name / ".flowide"),
                 str(journal), str(self.random.randrange(2**32))],
                cwd=ROOT, stderr=errors, env=_env() | {"CHAOS_TOKEN": self.tokens[name]},
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

    def line(self) -> Proxy:
        return self.random.choice(list(self.proxies.values()))

    def finish(self) -> list[str]:
        for proxy in self.proxies.values():
            proxy.back()
            proxy.drop()
        (self.folder / "stop").touch()
        broken = []
        for name, process in self.alive.items():
            try:
                code = process.wait(600)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            if code:
                broken.append(f"{name} ended with {code}")
        for proxy in self.proxies.values():
            proxy.__exit__()
        return broken + [self.errors.read_text()] * bool(self.errors.read_text())


def _faults(hub: Hub, crew: Crew, chance: random.Random) -> dict[str, Callable[[], object]]:
    def half_open() -> None:
        line = crew.line()
        line.deaf = True
        time.sleep(chance.uniform(0.2, 2.5))
        line.drop()
        line.deaf = False

    def stall() -> None:
        line = crew.line()
        line.delay_s, line.piece = chance.uniform(0.005, 0.05), chance.choice([50, 400, 4000])
        time.sleep(chance.uniform(0.2, 1.0))
        line.delay_s, line.piece = 0.0, 65536

    def halve() -> None:
        line = crew.line()
        line.cut_after = chance.randrange(200, 20_000)
        line.drop()
        time.sleep(chance.uniform(0.2, 1.0))
        line.cut_after = None

    def away() -> None:
        line = crew.line()
        line.away()
        time.sleep(chance.uniform(0.3, 2.5))
        line.back()

    return {
        "client killed": crew.kill,
        "client stopped": lambda: crew.stop_for(chance.uniform(0.05, 1.2)),
        "hub killed": hub.kill,
        "hub stopped": lambda: hub.stop_for(chance.uniform(0.05, 1.2)),
        "database held up": lambda: hub.hold_up(chance.uniform(0.2, 4.0)),
        "line dropped": lambda: crew.line().drop(),
        "line half-open": half_open,
        "line stalled": stall,
        "line cut in a frame": halve,
        "line away": away,
    }


def one_history(
    folder: Path,
    seed: int,
    *,
    database: str | None = None,
    clients: int = 4,
    seconds: float = 8.0,
    artifacts: int = 4,
    faults_hz: float = 1.5,
) -> Report:
    """One history in an empty folder; `database` None = SQLite there."""
    chance = random.Random(seed)
    database = database or str(folder / "db")
    for n in range(clients, 8):  # locks are handed to all eight, as the worker of one machine does
        grant_token(database, SPACE, f"w{n}", role="owner", device="chaos")
    tokens = {
        f"w{n}": grant_token(database, SPACE, f"w{n}", role="owner", device="chaos").token
        for n in range(clients)
    }
    _prepare(database, artifacts)
    hub = Hub(folder, database)
    crew, report = Crew(folder, hub, tokens, chance), Report(histories=1)
    try:
        for name in tokens:
            crew.start(name)
        while sum(journal.stat().st_size > 0 for journal in folder.glob("journal-*")) < clients:
            assert all(process.poll() is None for process in crew.alive.values()), crew.errors.read_text()
            time.sleep(0.02)
        faults = _faults(hub, crew, chance)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(chance.expovariate(faults_hz))
            kind = chance.choice(list(faults))
            faults[kind]()
            report.faults[kind] += 1
        report.violations += crew.finish()
    finally:
        for process in crew.alive.values():
            process.kill()
            process.wait()
        said = hub.end()
    report.violations += [f"the hub said: {line}" for line in said.splitlines() if "library" not in line]
    _check(folder, database, report)
    return report


def _prepare(database: str, artifacts: int) -> None:
    store = open_store(database, SPACE)
    for at in range(artifacts):
        command = c.CreateArtifact(path=f"{at}.md", text="")
        run(Work(command, Caller(Actor("w0"), "prepare", uuid7())), store.write(), SystemClock())
    store.close()


def _check(folder: Path, database: str, report: Report) -> None:
    store = open_store(database, SPACE)
    history = RemoteHistory(store=store)
    for journal in sorted(folder.glob("journal-*.jsonl")):
        history.read_journal(journal)
    seq = 0
    while page := store.events(seq, 1000):
        history.events += page
        seq = page[-1].seq
    problems = answer(q.Verify(), store, SystemClock().now())
    report.violations += [f"verify: {problem.what}" for problem in problems]
    report.violations += history.check()
    _check_replicas(folder, history, report)
    store.close()
    calls = history.calls.values()
    report.operations = len(calls)
    report.answered = sum(call.answered is not None for call in calls)
    report.saves = sum(event.type == "artifact.saved" for event in history.events)
    report.refusals = Counter(call.err["code"] for call in calls if call.err is not None)
    report.faults["texts kept on their machine"] += len(history.here)


def _check_replicas(folder: Path, history: RemoteHistory, report: Report) -> None:
    """Every replica is the hub's log up to where it stands, and its tables follow from it."""
    from flowide.space.remote.replica import Replica

    chains = {event.seq: event.chain for event in history.events}
    for file in folder.glob("*/.flowide/hub-*[0-9a-f].db"):
        if file.name.endswith(".outbox.db"):
            continue
        replica = Replica(file)
        at = replica.position()
        if chains.get(at.seq) != at.chain:
            report.violations.append(
                f"{file.parent.parent.name}: the replica stands at {at}, which the hub never did"
            )
        found = answer(q.Verify(), replica.store, SystemClock().now())
        wrong = [problem.what for problem in found if problem.where in {"log", "table"}]
        report.violations += [f"{file.parent.parent.name}: {what}" for what in wrong]
        replica.close()


def many(histories: int, seconds: float, seed: int, *, database: Callable[[], str] | None = None) -> Report:
    """Several histories, each in a folder of its own; `database` makes a new one for each, None = SQLite."""
    total = Report()
    for at in range(histories):
        with tempfile.TemporaryDirectory() as folder:
            place = None if database is None else database()
            found = one_history(Path(folder), seed + at, seconds=seconds, database=place)
            total.add(found)
            for broken in found.violations:
                print(f"seed {seed + at}: {broken}", file=sys.stderr)
        print(
            f"history {at + 1}: {total.operations} operations so far, {len(total.violations)} violations",
            file=sys.stderr,
        )
    return total


def _env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}
