"""What is used is counted for a flow and for those above it, and looked at before each call."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from flowide import settings
from flowide.agents.api import Usage
from flowide.domain import commands as c
from flowide.domain.actors import Actor
from flowide.errors import OverBudget
from flowide.flows.api import Budget
from flowide.flows.budget import Clock, Spending, bounds_of, budget_of
from flowide.flows.recalling import recall
from flowide.flows.schema import Bounds
from flowide.space.queries import OneRun
from flowide.testing import ManualClock, MemorySpace
from tests.flows.conftest import Bench


def child_of(parent: Spending, budget: Budget | None = None) -> Spending:
    return Spending(budget or Budget(), parent=parent)


def test_the_smaller_of_two_bounds_counts() -> None:
    given = Budget(tokens=100, seconds=600, turns=9)

    bounds = bounds_of(Bounds(tokens=200, minutes=5, turns=3, turns_per_agent=2, cost_usd=0.5), given)

    assert bounds == Budget(cost_micros=500_000, tokens=100, seconds=300, turns=3, agent_turns=2)


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(turns=1), "1 of 1 turns"),
        (Budget(agent_turns=1), "1 of 1 turns are taken by @ann"),
        (Budget(agent_tokens=30), "30 of 30 tokens are used by @ann"),
        (Budget(agent_cost_micros=5), "is spent by @ann"),
        (Budget(agent_seconds=7), "7 of 7 seconds are over by @ann"),
        (Budget(tokens=30), "30 of 30 tokens"),
        (Budget(cost_micros=5), "is spent"),
        (Budget(seconds=0), "seconds are over"),
    ],
)
def test_what_a_called_flow_uses_ends_the_run_that_called_it(budget: Budget, said: str) -> None:
    parent = Spending(budget)
    child = child_of(parent)
    if budget.seconds is None:
        child.begin("ann")
        child.add("ann", Usage(10, 20, 5), 7.0)

    for spending in (child, parent):
        with pytest.raises(OverBudget, match=said):
            spending.begin("ann")


def test_a_call_that_is_refused_does_not_count() -> None:
    parent = Spending(Budget())
    child = child_of(parent, Budget(turns=1))
    child.begin("ann")

    with pytest.raises(OverBudget):
        child.begin("bob")

    assert parent.all.turns == child.all.turns == 1


@pytest.mark.parametrize("budget", [Budget(agent_turns=1), Budget(agent_tokens=2), Budget(agent_seconds=3)])
def test_what_one_agent_uses_does_not_count_for_another(budget: Budget) -> None:
    spending = Spending(budget)

    for agent in ("ann", "bob"):
        spending.begin(agent)
        spending.add(agent, Usage(1, 1, None), 3.0)

    with pytest.raises(OverBudget, match="@bob"):
        spending.begin("bob")


def test_money_alone_ends_at_the_first_call_whose_price_is_unknown() -> None:
    spending = Spending(Budget(cost_micros=1000))
    spending.add("ann", Usage(1, 1, None))

    with pytest.raises(OverBudget, match="price of this model is unknown"):
        spending.begin("ann")
    assert spending.totals()["cost_usd"] is None


def test_money_with_another_bound_goes_on_and_can_say_so() -> None:
    parent = Spending(Budget(cost_micros=1000, tokens=100))
    child = child_of(parent)
    child.add("ann", Usage(1, 1, None))

    child.begin("ann")

    assert child.unpriced


def test_money_for_each_agent_says_so_too_when_a_price_is_unknown() -> None:
    spending = Spending(Budget(agent_cost_micros=1000, agent_tokens=100))
    spending.add("ann", Usage(1, 1, None))

    spending.begin("ann")

    assert spending.unpriced


# --- time --------------------------------------------------------------------------------------------


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    at = [100.0]
    monkeypatch.setattr("flowide.flows.budget.time.monotonic", lambda: at[0])
    return at


def test_the_clock_stands_still_while_only_people_are_waited_for(now: list[float]) -> None:
    clock = Clock(before=5.0)
    now[0] += 1
    with clock.question():
        now[0] += 1000
        with clock.call():  # in another branch
            now[0] += 2
        now[0] += 1000
    now[0] += 4

    assert clock.elapsed() == 12.0


def test_a_called_flow_counts_its_own_minutes(now: list[float]) -> None:
    parent = Spending(Budget())
    now[0] += 50
    child = Spending(Budget(seconds=10), parent=parent, began=parent.clock.elapsed())
    now[0] += 9
    child.begin("ann")
    now[0] += 1

    with pytest.raises(OverBudget, match="10 of 10 seconds"):
        child.begin("ann")
    parent.begin("ann")


# --- what the log knows ------------------------------------------------------------------------------


async def test_time_and_calls_of_before_a_resume_are_read_from_the_log() -> None:
    clock = ManualClock()
    space = MemorySpace(Actor("ana"), clock=clock)

    async def send(*commands: c.Command[Any], then_ms: int = 1000) -> None:
        await space.batch(commands)
        clock.sleep(then_ms)

    def step(key: str, kind: str, status: Any, **more: Any) -> c.RecordStep:
        return c.RecordStep(run="r", fence=1, key=key, kind=kind, status=status, **more)

    who, used = {"agent": "ann"}, {"input_tokens": 3, "output_tokens": 4, "cost_micros": None}
    await send(c.StartRun(run="r", flow="f", flow_sha256="", flow_text=""))
    await send(step("sub", "call", "started"), step("sub/vary", "vary", "started"))
    await send(step("sub/vary#1", "vary", "started", result=who), then_ms=5000)
    await send(step("sub/vary#1", "vary", "completed", result=who | {"asked": 3}, usage=used))
    await send(step("sub/vary#2", "vary", "started", result=who))
    await send(c.OpenGate(gate="g", run="r", fence=1, kind="k", question="?"), then_ms=600_000)
    await send(c.AnswerGate(gate="g", answer="yes"))
    await send(step("sub/vary#3", "vary", "skipped"), then_ms=0)
    clock.sleep(900_000)  # killed: nobody knows when
    await send(c.ClaimRun(run="r"))

    past = await recall(space, "r", 1)

    assert past.seconds == 9.0
    assert past.began == {"sub": 1.0}
    assert [(call.turns, call.seconds) for call in past.calls] == [(1, 0), (2, 5.0), (1, 0)]
    spending = Spending(Budget(turns=4))
    spending.resume(past)
    assert (spending.all.turns, spending.all.calls, spending.all.tokens) == (4, 1, 7)
    assert 9.0 <= spending.seconds < 60
    with pytest.raises(OverBudget):
        spending.begin("ann")


async def test_a_call_that_was_refused_is_none_after_a_resume(bench: Bench) -> None:
    over = await bench.start(
        parallel=1, inputs={"critique": False}, budget=Budget(turns=3), on_gate="approve"
    )
    assert (over.exit_code, over.totals["calls"]) == (6, 3)

    more = await bench.resume(over.run, budget=Budget(turns=4), on_gate="approve")

    assert (more.status, more.totals["calls"]) == ("completed", 4)


async def test_a_run_that_is_given_no_bounds_has_those_of_the_settings(bench: Bench) -> None:
    bench.around = msgspec.structs.replace(bench.around, budget=budget_of(settings.Budget(turns=2)))

    over = await bench.start(parallel=1)

    assert over.exit_code == 6
    view = await bench.space.read(OneRun(over.run))
    assert view.run.options["budget"]["turns"] == 2
