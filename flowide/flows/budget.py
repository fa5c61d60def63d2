"""What a run may use, counted from its log and checked before each call."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from flowide import settings
from flowide.agents.api import Usage
from flowide.errors import OverBudget
from flowide.flows.api import Budget
from flowide.flows.recalling import Call, Past
from flowide.flows.schema import Bounds

UNPRICED = "the price of this model is unknown, so a budget of money cannot be kept"


def budget_of(said: Bounds | settings.Budget) -> Budget:
    """The bounds of a flow file or of the settings."""
    return Budget(
        cost_micros=_times(said.cost_usd, 1e6),
        tokens=said.tokens,
        seconds=_times(said.minutes, 60),
        turns=said.turns,
        agent_cost_micros=_times(said.cost_usd_per_agent, 1e6),
        agent_tokens=said.tokens_per_agent,
        agent_seconds=_times(said.minutes_per_agent, 60),
        agent_turns=said.turns_per_agent,
    )


def _times(amount: float | None, unit: float) -> int | None:
    return None if amount is None else round(amount * unit)


def bounds_of(bounds: Bounds, given: Budget | None = None) -> Budget:
    """The bounds of a flow file together with those given for the run; the smaller counts."""
    said, given = budget_of(bounds), given or Budget()
    both = {
        name: [each for each in (getattr(said, name), getattr(given, name)) if each is not None]
        for name in Budget.__struct_fields__
    }
    return Budget(**{name: min(each, default=None) for name, each in both.items()})


class Clock:
    """Seconds that a run was driven, by earlier processes too. It stands still while only people are waited for."""

    def __init__(self, before: float = 0.0) -> None:
        """`before` is what earlier processes took."""
        self._passed = before
        self._since: float | None = time.monotonic()
        self._calls = self._questions = 0

    def elapsed(self) -> float:
        """Seconds so far."""
        return self._passed + (0.0 if self._since is None else time.monotonic() - self._since)

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        """An agent is at work."""
        self._calls += 1
        self._set()
        try:
            yield
        finally:
            self._calls -= 1
            self._set()

    @contextlib.contextmanager
    def idle(self) -> Iterator[None]:
        """The agent of a call waits for somebody else."""
        self._calls -= 1
        self._set()
        try:
            yield
        finally:
            self._calls += 1
            self._set()

    @contextlib.contextmanager
    def question(self) -> Iterator[None]:
        """A person is waited for."""
        self._questions += 1
        self._set()
        try:
            yield
        finally:
            self._questions -= 1
            self._set()

    def _set(self) -> None:
        goes = self._calls > 0 or self._questions == 0
        if goes and self._since is None:
            self._since = time.monotonic()
        elif not goes and self._since is not None:
            self._passed, self._since = self.elapsed(), None


class Used(Struct):
    """What was used, by an agent or by all together."""

    turns: int = 0
    """Calls begun."""
    calls: int = 0
    """Calls finished."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0
    unpriced_calls: int = 0
    """Calls whose price is unknown: the cost is then at least `cost_micros`."""
    seconds: float = 0.0
    """In calls."""

    @property
    def tokens(self) -> int:
        """Read and written."""
        return self.input_tokens + self.output_tokens

    def add(self, usage: Usage, seconds: float) -> None:
        """Count a finished call."""
        self.calls += 1
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        self.unpriced_calls += usage.cost_micros is None
        self.cost_micros += usage.cost_micros or 0
        self.seconds += seconds


class Spending:
    """What a run, or a flow that it calls, has used so far; survives a resume through the log."""

    def __init__(self, budget: Budget, *, parent: Spending | None = None, began: float = 0.0) -> None:
        """What is used here counts for `parent` too; `began` is what its clock showed when this began."""
        self.budget = budget
        self.parent = parent
        self.clock: Clock = Clock() if parent is None else parent.clock
        self._began = began
        self.all = Used()
        self.by_agent: dict[str, Used] = {}

    def of(self, agent: str) -> Used:
        """What one agent used."""
        return self.by_agent.setdefault(agent, Used())

    @property
    def seconds(self) -> float:
        """That it was driven."""
        return self.clock.elapsed() - self._began

    def check(self, agent: str) -> None:
        """Raise OverBudget when an agent could not make another call."""
        self._check_all(agent)

    def begin(self, agent: str) -> None:
        """Count the next call of an agent, before it is made.

        Raises:
            OverBudget: It could not be paid for, or is one too many; then it does not count.
        """
        self._check_all(agent)
        each: Spending | None = self
        while each is not None:
            each.all.turns += 1
            each.of(agent).turns += 1
            each = each.parent

    def add(self, agent: str, usage: Usage, seconds: float = 0.0) -> None:
        """Count a finished call of an agent, which took so long."""
        each: Spending | None = self
        while each is not None:
            each.all.add(usage, seconds)
            each.of(agent).add(usage, seconds)
            each = each.parent

    def resume(self, past: Past) -> None:
        """Go on from what the log knows."""
        self.clock = Clock(past.seconds)
        for call in past.calls:
            self.recall(call)

    def recall(self, call: Call) -> None:
        """Count a call from the log here; those above count it themselves."""
        for used in (self.all, self.of(call.agent)):
            used.turns += call.turns
            if call.usage is not None:
                used.add(call.usage, call.seconds)

    @property
    def unpriced(self) -> bool:
        """Whether there is a bound of money, here or above, that cannot be kept."""
        bound = self.budget.cost_micros is not None and self.all.unpriced_calls > 0
        if self.budget.agent_cost_micros is not None:
            bound = bound or any(used.unpriced_calls for used in self.by_agent.values())
        return bound or (self.parent is not None and self.parent.unpriced)

    def _check_all(self, agent: str) -> None:
        if self.parent is not None:
            self.parent._check_all(agent)
        budget, one = self.budget, self.of(agent)
        for who, used, seconds, bounds in (
            ("", self.all, self.seconds, (budget.turns, budget.tokens, budget.seconds, budget.cost_micros)),
            (
                f" by @{agent}",
                one,
                one.seconds,
                (budget.agent_turns, budget.agent_tokens, budget.agent_seconds, budget.agent_cost_micros),
            ),
        ):
            why = _over(used, seconds, *bounds)
            if why:
                raise OverBudget(
                    f"the budget is used up: {why}{'' if why == UNPRICED else who}",
                    hint="Raise it with --budget (also bound tokens or minutes), then resume the run.",
                    totals=self.totals(),
                )

    def totals(self) -> dict[str, Any]:
        """For the run's end; `cost_usd` None = unknown."""
        return {
            "calls": self.all.calls,
            "input_tokens": self.all.input_tokens,
            "output_tokens": self.all.output_tokens,
            "cost_usd": None if self.all.unpriced_calls else self.all.cost_micros / 1e6,
            "seconds": round(self.seconds, 3),
        }


def _over(
    used: Used,
    seconds: float,
    turns: int | None,
    most_tokens: int | None,
    most_seconds: int | None,
    cost_micros: int | None,
) -> str | None:
    """Why no further call can be made; None = one can."""
    if turns is not None and used.turns >= turns:
        return f"{used.turns} of {turns} turns are taken"
    if most_tokens is not None and used.tokens >= most_tokens:
        return f"{used.tokens} of {most_tokens} tokens are used"
    if most_seconds is not None and seconds >= most_seconds:
        return f"{seconds:.0f} of {most_seconds} seconds are over"
    if cost_micros is not None and used.cost_micros >= cost_micros:
        return f"${used.cost_micros / 1e6:.4f} of ${cost_micros / 1e6:.4f} is spent"
    bounded_otherwise = most_tokens is not None or most_seconds is not None
    return UNPRICED if cost_micros is not None and used.unpriced_calls and not bounded_otherwise else None
