"""What a caller says to start a run, what it can watch, and what it gets."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from msgspec import Struct

GatePolicy = Literal["stop", "approve", "reject", "wait"]
"""`wait` = stay until somebody answers (terminal app); `stop` = end with `needs_input`, state saved."""


class Budget(Struct, frozen=True):
    """Bounds checked before each model call; None = unbounded."""

    cost_micros: int | None = None
    tokens: int | None = None
    seconds: int | None = None
    turns: int | None = None
    """Calls to agents."""
    agent_cost_micros: int | None = None
    """As above, of each agent."""
    agent_tokens: int | None = None
    agent_seconds: int | None = None
    """In calls to it."""
    agent_turns: int | None = None


class RunRequest(Struct, frozen=True, kw_only=True):
    """Everything a run is told at its start; stored with the run, so that a resume needs only its id."""

    flow: str
    """Name of a flow, or path of a flow file."""
    brief: str = ""
    inputs: dict[str, Any] = {}
    """Values of the flow's inputs, as given by `--set` (strings) or by a caller (typed)."""
    agents: list[str] = []
    """Handles or model names; empty = those the flow or the project names."""
    model: str | None = None
    """Overrides the model of every agent with a model backend."""
    on_gate: GatePolicy = "stop"
    parallel: int = 4
    """Model calls in flight."""
    budget: Budget = Budget()
    lock_timeout_s: float = 30.0
    timeout_s: float | None = None
    """For the whole run; None = no bound but the budget."""
    trust: bool = False
    """The project's commands (checks, run steps, tool servers) may be executed."""
    allow: list[str] = []
    """Tools that may be used without asking, e.g. `git/git_status`, `git`, `*`."""


class RunResult(Struct, frozen=True, kw_only=True):
    """How a run ended."""

    run: str
    status: Literal["queued", "waiting", "completed", "failed", "rejected", "cancelled"]
    """`queued` = a worker was stopped and gave it back."""
    exit_code: int
    error: dict[str, Any] | None = None
    outputs: dict[str, Any] = {}
    """The flow's named results; `text` is what `--output text` prints, `artifact`, `version` when saved."""
    totals: dict[str, Any] = {}
    resume_command: str | None = None


class Observer(Protocol):
    """Told what has no event of its own. Called from the run's loop; must return at once."""

    def delta(self, step: str, actor: str, text: str, *, restart: bool) -> None:
        """Text was added to a step's answer; with `restart` what was shown for it before is void."""
        ...

    def warning(self, message: str) -> None:
        """Something a person should know; never fatal."""
        ...


class Quiet:
    """An observer that shows nothing."""

    def delta(self, step: str, actor: str, text: str, *, restart: bool) -> None:
        """Nothing."""

    def warning(self, message: str) -> None:
        """Nothing."""
