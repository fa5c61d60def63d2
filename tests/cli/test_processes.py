"""Eight processes lock, save and are killed on one workspace, and every promise holds."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Apart

ROOT = Path(__file__).parents[2]
PATHS = ("src/shop.py", "one.txt", "two.txt")
WORKERS = 8


class Crowd:
    """Workers that are killed and started again."""

    def __init__(self, apart: Apart, folder: Path) -> None:
        self._apart, self._folder = apart, folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.killed = 0

    def start(self, name: str) -> None:
        report = self._folder / f"{name}.jsonl"
        errors = (self._folder / f"{name}.err").open("ab")
        with errors:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.cli.worker", name, str(report), *PATHS],
                cwd=self._apart.root,
                env={**os.environ, **self._apart.env, "PYTHONPATH": str(ROOT)},
                stdout=errors,
                stderr=errors,
            )

    def kill(self, name: str) -> None:
        self._running[name].kill()
        assert self._running[name].wait() == -9, (self._folder / f"{name}.err").read_text()
        self.killed += 1

    def run(self, saves: int) -> None:
        """Until so many saves were acknowledged; each time some more are, somebody is killed."""
        names = [f"worker{number}" for number in range(WORKERS)]
        for name in names:
            self.start(name)
        try:
            for wanted in range(5, saves, 5):
                self._wait_for(wanted)
                name = random.choice(names)
                self.kill(name)
                self.start(name)
        finally:
            for name in names:
                self.kill(name)

    def _wait_for(self, saves: int) -> None:
        for _ in range(1200):
            if sum("version" in each for each in self.reports()) >= saves:
                return
            time.sleep(0.05)
        raise AssertionError(f"{saves} saves did not come in a minute")

    def reports(self) -> list[dict[str, Any]]:
        lines = [line for file in self._folder.glob("*.jsonl") for line in file.read_text().splitlines(True)]
        return [json.loads(line) for line in lines if line.endswith("\n")]


def check(apart: Apart, reports: list[dict[str, Any]]) -> None:
    """Hold the log against what the workers were told."""
    assert [each["problem"] for each in reports if "problem" in each] == []
    saves = [each for each in reports if "version" in each]
    histories = {path: apart("artifact", "history", path, "--json").json for path in PATHS}
    for path, history in histories.items():
        assert [each["version"] for each in history] == list(range(1, len(history) + 1))
        found = {(each["version"], each["sha256"], each["fence"], each["actor"]) for each in history}
        told = {
            (each["version"], each["sha256"], each["fence"], each["actor"])
            for each in saves
            if each["path"] == path
        }
        assert told <= found, f"lost: {told - found}"
        assert apart("artifact", "show", path).out.encode() == (apart.root / path).read_bytes()
    _check_log(apart("events").lines)
    assert apart("verify").code == 0


def _check_log(events: list[dict[str, Any]]) -> None:
    """Sequence numbers are dense, fences grow, and nobody saves who is not the one holder."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    holder: dict[str, tuple[int, str] | None] = {}
    newest: dict[str, int] = {}
    for event in events:
        data = event["data"]
        artifact = data.get("artifact")
        if event["type"] == "lock.acquired":
            assert data["fence"] > newest.get(artifact, 0)
            assert holder.get(artifact) is None or data.get("took_over"), event
            newest[artifact] = data["fence"]
            holder[artifact] = (data["fence"], data["holder"]["actor"])
        elif event["type"] == "lock.released":
            holder[artifact] = None
        elif event["type"] == "artifact.saved":
            assert holder[artifact] == (data["fence"], event["actor"]["id"]), event


def crowded(apart: Apart, tmp_path: Path, saves: int) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    for path in PATHS:
        (apart.root / path).write_text("start\n")
        apart("artifact", "show", path)
    crowd = Crowd(apart, folder)

    crowd.run(saves)

    assert crowd.killed > WORKERS
    check(apart, crowd.reports())


def test_eight_processes_that_are_killed_lose_nothing(apart: Apart, tmp_path: Path) -> None:
    crowded(apart, tmp_path, saves=60)


@pytest.mark.slow
def test_eight_processes_that_are_killed_for_minutes_lose_nothing(apart: Apart, tmp_path: Path) -> None:
    crowded(apart, tmp_path, saves=2000)
