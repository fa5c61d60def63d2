"""Real clients and a real hub on simulated clocks and a simulated network: what a seed decides breaks no promise."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from flowide.errors import Offline
from flowide.space.remote.line import Line
from flowide.space.remote.outbox import Outbox
from flowide.space.remote.reach import Reach
from flowide.space.remote.sending import Sender
from flowide.space.wire.calls import Call
from tests.hub.simulation.programme import one_history
from tests.hub.simulation.world import World
from tests.space.mutants import bank, copied, unnoticed_by

ROOT = Path(__file__).parents[2]
BUGS = bank(Path(__file__).parent / "simulation" / "mutants.toml")
FOUND = {
    1: "who waited longer than ten seconds for an answer kept the processor busy",
    1028: "a text of before the restored backup was refused as a draft, since its version was not there any more",
}
"""Seeds that once broke something, with what it was."""


@pytest.mark.parametrize("seed", [*FOUND, 7, 8])
def test_a_simulated_history_breaks_no_promise(seed: int) -> None:
    report = one_history(seed)

    assert report.violations == []
    assert report.answered > 0
    assert report.faults


def test_a_seed_gives_the_same_history_again() -> None:
    assert one_history(3, seconds=10.0).digest == one_history(3, seconds=10.0).digest
    assert one_history(4, seconds=10.0).digest != one_history(3, seconds=10.0).digest


def test_a_seed_gives_the_same_history_in_another_process() -> None:
    program = "from tests.hub.simulation.programme import one_history as h; print(h(3, seconds=10.0).digest)"
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": "11"},
    ).stdout.strip()  # fmt: skip

    assert said == one_history(3, seconds=10.0).digest


class SilentLine:
    """A connection over which no answer ever comes."""

    def __init__(self) -> None:
        self.sent = self.looked_at = 0

    async def send(self, frame: object) -> None:
        self.sent += 1

    def probe(self) -> None:
        self.looked_at += 1


def test_who_waits_long_for_an_answer_leaves_the_processor_alone() -> None:
    world, line = World(1), SilentLine()

    async def ask() -> None:
        reach = Reach("http://hub", lambda: None)
        reach.line = cast("Line", line)
        reach.up()
        sender = Sender("ana", cast("Outbox", None), reach, settle=asyncio.Event().wait, answered=print)  # type: ignore[arg-type] # neither is called
        with pytest.raises(Offline):
            await sender.ask(Call("q1", "Artifacts", {}))

    with world.around():
        world.loop.run_until_complete(ask())
    world.loop.close()

    assert line.sent == 1
    assert 1 < line.looked_at < 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 1100, 100))
def test_many_simulated_histories_break_no_promise(seed: int) -> None:
    broken = {at: found for at in range(seed, seed + 30) if (found := one_history(at).violations)}

    assert broken == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", BUGS)
def test_the_simulation_finds_a_bug(name: str) -> None:
    run = ["tests.hub.simulation", "--histories", "60", "--seed", "1", "--stop"]
    with copied() as copy:
        assert unnoticed_by(run, name, BUGS[name], copy, says="violations ") is None
