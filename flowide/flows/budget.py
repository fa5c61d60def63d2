"""What a run may use, counted from its log and checked before each call."""

from __future__ import annotations

import time
from typing import Any

from flowide.agents.api import Usage
from flowide.errors import OverBudget
from flowide.flows.api import Budget


class Spending:
    """What a run has used so far; survives a resume through the usage in its steps."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.calls = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.cost_micros = 0
        self.unpriced_calls = 0
        """Calls whose price is unknown: the cost is then at least `cost_micros`."""
        self._since = time.monotonic()

    def add(self, usage: Usage) -> None:
        """Count a finished call."""
        self.calls += 1
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        if usage.cost_micros is None:
            self.unpriced_calls += 1
        else:
            self.cost_micros += usage.cost_micros

    def check(self) -> None:
        """Raise OverBudget when the next call could not be paid for."""
        budget, tokens = self.budget, self.input_tokens + self.output_tokens
        if budget.tokens is not None and tokens >= budget.tokens:
            raise self._over(f"{tokens} of {budget.tokens} tokens are used")
        if budget.seconds is not None and time.monotonic() - self._since >= budget.seconds:
            raise self._over(f"{budget.seconds} seconds are over")
        if budget.cost_micros is not None:
            if self.cost_micros >= budget.cost_micros:
                raise self._over(f"${self.cost_micros / 1e6:.4f} of ${budget.cost_micros / 1e6:.4f} is spent")
            if self.unpriced_calls and budget.tokens is None and budget.seconds is None:
                raise self._over("the price of this model is unknown, so a budget of money cannot be kept")

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
