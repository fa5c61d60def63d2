"""The kinds of steps, one module each; `STEPS` is the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from flowide.flows.state import StepContext
from flowide.flows.steps import (
    accept,
    check,
    choose,
    command,
    critique,
    decide,
    discuss,
    draft,
    gate,
    more,
    review,
    revise,
    vary,
)

STEPS: dict[str, Callable[[StepContext], Awaitable[dict[str, Any]]]] = {
    "vary": vary.run,
    "more": more.run,
    "check": check.run,
    "critique": critique.run,
    "choose": choose.run,
    "accept": accept.run,
    "gate": gate.run,
    "discuss": discuss.run,
    "decide": decide.run,
    "draft": draft.run,
    "revise": revise.run,
    "review": review.run,
    "run": command.run,
}
"""What each kind does; the result is stored with the step, and templates see it as `steps.<id>`."""
