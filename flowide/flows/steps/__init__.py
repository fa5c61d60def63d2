"""The kinds of steps, one module each. A module is imported when a flow has such a step: a run needs few of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from flowide.flows.state import StepContext

Step = Callable[[StepContext], Awaitable[dict[str, Any]]]
"""What a kind does; the result is stored with the step, and templates see it as `steps.<id>`."""

MODULES = {
    "vary": "vary",
    "more": "more",
    "check": "check",
    "repair": "repair",
    "picture": "picture",
    "critique": "critique",
    "choose": "choose",
    "refine": "refine",
    "blend": "blend",
    "accept": "accept",
    "gate": "gate",
    "discuss": "discuss",
    "decide": "decide",
    "draft": "draft",
    "revise": "revise",
    "review": "review",
    "research": "research",
    "run": "command",
    "tool": "tool",
    "call": "call",
    "parallel": "parallel",
    "repeat": "repeat",
}
"""By kind."""


def step_of(kind: str) -> Step:
    """What this kind of step does."""
    step: Step = import_module(f"{__name__}.{MODULES[kind]}").run
    return step
