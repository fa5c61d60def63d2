"""What a run may use, counted from its log and checked before each call."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from flowide.agents.api import Usage
from flowide.errors import OverBudget
from flowide.flows.api import Budget
from flowide.flows.schema import Bounds

UNPRICED = "the price of this model is unknown, so a budget of money cannot be kept"


def bounds_of(bounds: Bounds, given: Budget | None = None) -> Budget:
    """The bounds of a flow file together with those given for the run; the smaller counts."""
    given = given or Budget()
    return Budget(
        cost_micros=_least(given.cost_micros, bounds.cost_usd and round(bounds.cost_usd * 1e6)),
        tokens=_least(given.tokens, bounds.tokens),
        seconds=_least(given.seconds, bounds.minutes and round(bounds.minutes * 60)),
        turns=_least(given.turns, bounds.turns),
        agent_turns=_least(given.agent_turns, bounds.turns_per_agent),
    )


def _least(*bounds: float | None) -> int | None:
    return min((int(bound) for bound in bounds if bound is not None), default=None)


class Spending:
    """What a run, or a flow that it calls, has used so far; survives a resume through the log."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.parent: Spending | None = None
        """What is used here counts there too."""
        self.calls = 0
        """Finished."""
        self.input_tokens = 0
        self.output_tokens = 0
        self.cost_micros = 0
        self.unpriced_calls = 0
        """Calls whose price is unknown: the cost is then at least `cost_micros`."""
        self.turns: Counter[str] = Counter()
        """Calls begun, by agent."""
        self._since = time.monotonic()

    def begin(self, agent: str) -> None:
        """Count the next call of an agent, before it is made.

        Raises:
            OverBudget: It could not be paid for, or is one too many; then it does not count.
        """
        self._check_all(agent)
        each: Spending | None = self
        while each is not None:
            each.turns[agent] += 1
            each = each.parent

    def add(self, usage: Usage) -> None:
        """Count a finished call."""
        self.calls += 1
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        if usage.cost_micros is None:
            self.unpriced_calls += 1
        else:
            self.cost_micros += usage.cost_micros
        if self.parent is not None:
            self.parent.add(usage)

    def recall(self, agent: str, usage: Usage) -> None:
        """Count a call from the log."""
        self.turns[agent] += 1
        self.add(usage)

    @property
    def unpriced(self) -> bool:
        """Whether there is a bound of money, here or above, that cannot be kept."""
        here = self.budget.cost_micros is not None and self.unpriced_calls > 0
        return here or (self.parent is not None and self.parent.unpriced)

    def _check_all(self, agent: str) -> None:
        if self.parent is not None:
            self.parent._check_all(agent)
        budget, tokens = self.budget, self.input_tokens + self.output_tokens
        if budget.turns is not None and self.turns.total() >= budget.turns:
            raise self._over(f"{self.turns.total()} of {budget.turns} turns are taken")
        if budget.agent_turns is not None and self.turns[agent] >= budget.agent_turns:
            raise self._over(f"@{agent} has taken {self.turns[agent]} of {budget.agent_turns} turns")
        if budget.tokens is not None and tokens >= budget.tokens:
            raise self._over(f"{tokens} of {budget.tokens} tokens are used")
        if budget.seconds is not None and time.monotonic() - self._since >= budget.seconds:
            raise self._over(f"{budget.seconds} seconds are over")
        if budget.cost_micros is not None:
            if self.cost_micros >= budget.cost_micros:
                raise self._over(f"${self.cost_micros / 1e6:.4f} of ${budget.cost_micros / 1e6:.4f} is spent")
            if self.unpriced_calls and budget.tokens is None and budget.seconds is None:
                raise self._over(UNPRICED)

    def totals(self) -> dict[str, Any]:
        """For the run's end; `cost_usd` None = unknown."""
        return {
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": None if self.unpriced_calls else self.cost_micros / 1e6,
            "seconds": round(time.monotonic() - self._since, 3),
        }

    def _over(self, why: str) -> OverBudget:
        return OverBudget(
            f"the budget is used up: {why}",
            hint="Raise it with --budget (also bound tokens or minutes), then resume the run.",
            totals=self.totals(),
        )
