"""A run goes on from wherever it stopped, and makes no finished call again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flowide.domain.actors import Actor
from flowide.domain.commands import AnswerGate, Command, ForceLock
from flowide.errors import Busy, FlowError, Gone, StorageFailed
from flowide.flows import engine
from flowide.flows.api import Budget, RunRequest
from flowide.space.api import Reply
from flowide.space.queries import Artifacts, Gates, LiveDraft, OneRun, Runs, VariationText, Verify
from flowide.testing import ManualClock, MemorySpace
from tests.flows.conftest import Bench
from tests.project_with_agents import fenced, make_project, shop, write_agent


class Failing(MemorySpace):
    """A space whose disk is full from the n-th change on, until it is mended."""

    left = 10**9

    async def batch(self, commands: Sequence[Command[Any]], *, id: str | None = None) -> Reply[list[Any]]:
        self._count()
        return await super().batch(commands, id=id)

    async def execute(self, command: Command[Any], *, id: str | None = None) -> Reply[Any]:
        self._count()
        return await super().execute(command, id=id)

    def acting_as(self, actor: Actor) -> Any:
        self._count()
        return super().acting_as(actor)

    def _count(self) -> None:
        Failing.left -= 1
        if Failing.left < 0:
            raise StorageFailed("the disk is full")


@pytest.mark.parametrize("after", range(0, 48, 3))
async def test_a_run_that_broke_off_anywhere_ends_as_if_it_had_not(tmp_path: Path, after: int) -> None:
    bench = Bench(make_project(tmp_path / "project"))
    clock = ManualClock()
    bench.space = Failing(Actor("ana"), clock=clock)
    Failing.left = after
    try:
        result = await bench.start(on_gate="approve", inputs={"checks": ["there: test -f src/shop.py"]})
        run, status = result.run, str(result.status)
    except FlowError:
        runs = await bench.space.read(Runs())
        run, status = (runs[0].id, str(runs[0].status)) if runs else ("", "")
    Failing.left = 10**9
    clock.sleep(60_000)

    if not run:
        result = await bench.start(on_gate="approve")
    elif status != "completed":
        result = await bench.resume(run)

    assert result.status == "completed"
    view = await bench.set()
    texts = [await bench.space.read(VariationText(view.set.id, number)) for number in (1, 2, 3, 4)]
    assert texts == [shop(1), shop(2), shop(3), shop(4)]
    assert len(view.variations) == 4
    assert result.outputs["version"] == 2
    assert await bench.space.read(Verify()) == []
    log = [event.data async for event in bench.space.events() if event.type == "run.step"]
    done = Counter(data["key"] for data in log if data["status"] == "completed")
    assert set(done.values()) == {1}


async def test_finished_calls_are_not_made_again(bench: Bench) -> None:
    write_agent(bench.root, "bea", [{"on": "vary", "fail": "auth"}])
    failed = await bench.start(parallel=1, inputs={"n": 2, "critique": False})
    view = await bench.set()
    assert [each.variation.actor for each in view.variations] == ["anders"]
    # Whatever anders would say now, what was said counts.
    write_agent(bench.root, "anders", [{"on": "vary", "fail": "auth"}])

    result = await bench.answer(failed, "1")

    assert result.status == "completed"
    assert (bench.root / "src/shop.py").read_text() == shop(1)


async def test_a_run_goes_on_under_the_flow_as_it_was(bench: Bench) -> None:
    flow = bench.root / ".flowide/flows/mine.yaml"
    flow.parent.mkdir(parents=True)
    flow.write_text("flow: mine\nsteps:\n  - gate: {question: 'Go on?'}\n  - vary: {n: 2}\n")
    stopped = await bench.start("mine")
    flow.write_text("flow: mine\nsteps:\n  - gate: {question: 'Go on?'}\n  - vary: {n: 5}\n")

    result = await bench.answer(stopped, "approve")

    assert result.status == "completed"
    assert len((await bench.set()).variations) == 2
    assert any("changed since" in warning for warning in bench.watcher.warnings)


async def test_a_gate_is_answered_by_another_process(bench: Bench) -> None:
    stopped = await bench.start()
    other = bench.space.acting_as(Actor("bob"))
    [gate] = await other.read(Gates())

    await other.execute(AnswerGate(gate=gate.id, answer="2"))
    result = await bench.resume(stopped.run)

    assert result.status == "completed"
    assert result.outputs["chosen"] == 2
    assert (await bench.space.read(OneRun(stopped.run))).gates[0].by == "bob"


async def test_an_answer_is_given_once(bench: Bench) -> None:
    await bench.start()
    [gate] = await bench.space.read(Gates())
    await bench.space.execute(AnswerGate(gate=gate.id, answer="2"))

    with pytest.raises(Gone):
        await bench.space.execute(AnswerGate(gate=gate.id, answer="3"))


async def test_a_run_that_has_ended_is_not_resumed(bench: Bench) -> None:
    ended = await bench.start(on_gate="approve")

    with pytest.raises(Gone):
        await bench.resume(ended.run)


async def test_a_live_run_is_not_taken_over(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowide.flows.leases.LEASE_MS", 500)
    write_agent(bench.root, "anders", [{"on": "vary", "text": fenced(shop(1))}], pace=1)
    bench.around.env["FLOWIDE_SCRIPTED_PACE"] = ""
    driving = asyncio.create_task(bench.start(agents=["anders"], inputs={"n": 2}))
    while not await bench.space.read(Runs()):
        await asyncio.sleep(0.01)
    [run] = await bench.space.read(Runs())

    with pytest.raises(Busy):
        await bench.resume(run.id)

    driving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await driving
    assert (await bench.space.read(OneRun(run.id))).run.status == "cancelled"


async def test_a_cancelled_run_keeps_what_was_finished_and_goes_on(bench: Bench) -> None:
    write_agent(bench.root, "bea", [{"on": "vary", "texts": [fenced(shop(2)), fenced(shop(4))]}], pace=20)
    bench.around.env["FLOWIDE_SCRIPTED_PACE"] = ""
    driving = asyncio.create_task(bench.start(on_gate="approve"))
    while [event async for event in bench.space.events() if event.data.get("status") == "completed"] == []:
        await asyncio.sleep(0.01)
    driving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await driving
    [run] = await bench.space.read(Runs())
    assert run.status == "cancelled"
    bench.around.env["FLOWIDE_SCRIPTED_PACE"] = "0"

    result = await bench.resume(run.id)

    assert result.status == "completed"
    assert len((await bench.set()).variations) == 4


async def test_a_budget_of_tokens_stops_the_next_call_and_a_larger_one_goes_on(bench: Bench) -> None:
    spent = await bench.start(parallel=1, budget=Budget(tokens=500), on_gate="approve")
    assert (spent.status, spent.exit_code) == ("failed", 6)
    made = len((await bench.set()).variations)
    assert 0 < made < 4

    result = await engine.resume(
        bench.space,
        bench.folder,
        spent.run,
        request=RunRequest(flow="variations", on_gate="approve"),
        observer=bench.watcher,
        surroundings=bench.around,
    )

    assert result.status == "completed", result.error
    assert len((await bench.set()).variations) == 4


async def test_a_run_as_a_whole_has_a_bound(bench: Bench) -> None:
    write_agent(bench.root, "anders", [{"on": "vary", "text": fenced(shop(1))}], pace=1)
    bench.around.env["FLOWIDE_SCRIPTED_PACE"] = ""

    result = await bench.start(agents=["anders"], inputs={"n": 2}, timeout_s=0.2)

    assert (result.status, result.exit_code) == ("failed", 8)
    assert result.resume_command is not None


async def test_a_lock_that_is_taken_away_ends_the_run_in_the_log_too(bench: Bench) -> None:
    long = shop(1) + "".join(f"# line {n} of many\n" for n in range(2000))
    write_agent(bench.root, "anders", [{"on": "draft", "text": fenced(long)}])
    bench.around.env["FLOWIDE_SCRIPTED_PACE"] = "20000"
    (bench.root / "one.yaml").write_text("flow: one\nsteps:\n  - draft: {by: anders}\n")
    driving = asyncio.create_task(bench.start(str(bench.root / "one.yaml"), agents=["anders"]))
    artifact = None
    async with asyncio.timeout(20):
        while artifact is None or await bench.space.read(LiveDraft(artifact)) is None:
            await asyncio.sleep(0.02)
            artifact = next((each.id for each in await bench.space.read(Artifacts())), None)

    await bench.space.execute(ForceLock(artifact=artifact, reason="mine", take=True))
    result = await driving

    assert (result.status, result.exit_code) == ("failed", 9)
    [run] = await bench.space.read(Runs())
    assert (run.status, run.exit_code) == ("failed", 9)


async def test_no_more_calls_are_in_flight_than_allowed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowide.agents.scripted import ScriptedBackend

    flying, most = 0, 0
    real = ScriptedBackend.stream

    async def counted(self: ScriptedBackend, request: Any) -> Any:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        try:
            async for delta in real(self, request):
                await asyncio.sleep(0.01)
                yield delta
        finally:
            flying -= 1

    monkeypatch.setattr(ScriptedBackend, "stream", counted)

    await bench.start(inputs={"n": 8}, parallel=3)

    assert most == 3
