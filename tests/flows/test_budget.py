"""What is used is counted for a flow and for those above it, and looked at before each call."""

from __future__ import annotations

import pytest

from flowide.agents.api import Usage
from flowide.errors import OverBudget
from flowide.flows.api import Budget
from flowide.flows.budget import Spending, bounds_of
from flowide.flows.schema import Bounds


def child_of(parent: Spending, budget: Budget | None = None) -> Spending:
    child = Spending(budget or Budget())
    child.parent = parent
    return child


def test_the_smaller_of_two_bounds_counts() -> None:
    given = Budget(tokens=100, seconds=600, turns=9)

    bounds = bounds_of(Bounds(tokens=200, minutes=5, turns=3, turns_per_agent=2, cost_usd=0.5), given)

    assert bounds == Budget(cost_micros=500_000, tokens=100, seconds=300, turns=3, agent_turns=2)


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(turns=1), "1 of 1 turns"),
        (Budget(agent_turns=1), "@ann has taken 1 of 1 turns"),
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
        child.add(Usage(10, 20, 5))

    for spending in (child, parent):
        with pytest.raises(OverBudget, match=said):
            spending.begin("ann")


def test_a_call_that_is_refused_does_not_count() -> None:
    parent = Spending(Budget())
    child = child_of(parent, Budget(turns=1))
    child.begin("ann")

    with pytest.raises(OverBudget):
        child.begin("bob")

    assert parent.turns.total() == child.turns.total() == 1


def test_turns_of_one_agent_do_not_count_for_another() -> None:
    spending = Spending(Budget(agent_turns=1))

    spending.begin("ann")
    spending.begin("bob")

    with pytest.raises(OverBudget, match="@bob"):
        spending.begin("bob")


def test_money_alone_ends_at_the_first_call_whose_price_is_unknown() -> None:
    spending = Spending(Budget(cost_micros=1000))
    spending.add(Usage(1, 1, None))

    with pytest.raises(OverBudget, match="price of this model is unknown"):
        spending.begin("ann")
    assert spending.totals()["cost_usd"] is None


def test_money_with_another_bound_goes_on_and_can_say_so() -> None:
    parent = Spending(Budget(cost_micros=1000, tokens=100))
    child = child_of(parent)
    child.add(Usage(1, 1, None))

    child.begin("ann")

    assert child.unpriced
