"""The step `run`: a command in the project folder, bounded, and only when it is trusted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flowide.domain.actors import Actor
from flowide.flows.api import RunResult
from flowide.space.queries import OneRun
from tests.flows.conftest import Bench
from tests.sleeping import sleeping, unique


async def run(bench: Bench, command: str, *, timeout_s: float = 30, **more: Any) -> RunResult:
    flow = bench.root / "cmd.yaml"
    flow.write_text(f"flow: cmd\nsteps:\n  - run: {{command: {command!r}, timeout_s: {timeout_s}}}\n")
    return await bench.start(str(flow), inputs={"path": ""}, **{"trust": True, **more})


async def test_it_runs_in_the_project_folder_and_its_output_is_kept(bench: Bench) -> None:
    result = await run(bench, "pwd; echo hi > made.txt")

    assert result.status == "completed"
    assert (bench.root / "made.txt").read_text() == "hi\n"
    [step] = (await bench.space.read(OneRun(result.run))).steps
    assert step.result["result"]["output"] == str(bench.root)


async def test_without_trust_nothing_runs(bench: Bench) -> None:
    result = await run(bench, "touch made.txt", trust=False)

    assert (result.status, result.exit_code) == ("failed", 7)
    assert not (bench.root / "made.txt").exists()


async def test_what_somebody_else_trusted_is_not_trusted_by_who_goes_on_with_their_run(bench: Bench) -> None:
    flow = bench.root / "asks.yaml"
    flow.write_text(
        "flow: asks\nsteps:\n  - gate: {question: Shall I?}\n  - run: {command: touch made.txt}\n"
    )
    asked = await bench.start(str(flow), inputs={"path": ""}, trust=True)
    assert asked.exit_code == 3

    bench.space = bench.space.acting_as(Actor("rod"))  # type: ignore[assignment] # the same space
    result = await bench.answer(asked, "approve")

    assert (result.status, result.exit_code) == ("failed", 7)
    assert not (bench.root / "made.txt").exists()


async def test_a_command_that_fails_ends_the_run_with_what_it_said(bench: Bench) -> None:
    result = await run(bench, "echo no luck; exit 3")

    assert (result.status, result.exit_code) == ("failed", 1)
    assert result.error is not None
    assert "ended with 3" in result.error["message"]
    assert "no luck" in result.error["hint"]


async def test_a_command_that_hangs_is_stopped_with_its_children(bench: Bench) -> None:
    seconds = unique()
    result = await run(bench, f"sleep {seconds} & echo x > began; wait", timeout_s=2)

    assert (result.status, result.exit_code) == ("failed", 8)
    assert (bench.root / "began").exists()
    async with asyncio.timeout(10):  # a process that was killed needs a moment to go
        while sleeping(seconds):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("command", ["yes | head -c 3000000", "cat"])
async def test_output_is_bounded_and_there_is_no_input(bench: Bench, command: str) -> None:
    result = await run(bench, command)

    assert result.status == "completed"
    [step] = (await bench.space.read(OneRun(result.run))).steps
    assert len(step.result["result"]["output"]) < 70_000
