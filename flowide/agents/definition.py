"""What an agent file says."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from flowide.patterns import lazy

BackendKind = Literal["model", "acp", "scripted"]
Permission = Literal["allow", "ask", "deny"]
Origin = Literal["project", "user", "claude", "model", "recipe"]
"""Where it was found: `.flowide/agents`, the user's folder, `.claude/agents`; or a model name, or the name of a
coding agent that FlowIDE knows, given as an agent."""

HANDLE = lazy(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
"""What follows the @."""


class AgentDefinition(Struct, frozen=True, kw_only=True):
    """Who an agent is and what answers for it."""

    handle: str
    name: str
    """As shown to people."""
    role: str = ""
    """What it is for, in a word or a sentence."""
    backend: BackendKind = "model"
    model: str | None = None
    """A litellm name (`openai/gpt-4o-mini`) or an alias of the settings; None = `--model` must name one."""
    command: list[str] = []
    """Program and arguments of an ACP agent; empty = as its recipe says."""
    recipe: str = ""
    """Which of the coding agents that FlowIDE knows it is; empty = by its command."""
    env: list[str] = []
    """Environment variables that an ACP agent is given besides the usual ones; `X_*` = all that begin so."""
    writes: list[str] = []
    """Files and folders outside of its copy that an ACP agent may write to."""
    temperature: float | None = None
    max_tokens: int | None = None
    script: str | None = None
    """Path of a scripted agent's replies."""
    tools: list[str] = []
    permissions: dict[str, Permission] = {}
    """By tool or kind of action; what is not named is asked."""
    mcp: bool = True
    """Whether an ACP agent gets the space as tools in its turns."""
    colour: str | None = None
    instructions: str = ""
    """Markdown that precedes every request to this agent."""
    source: str = ""
    """Path of the agent file; empty for a model name given as an agent."""
    origin: Origin = "project"

    @property
    def needs_trust(self) -> bool:
        """Whether a project says which program is run, or what it gets: that is for a person to look at."""
        by_project = self.origin in {"project", "claude"}
        return self.backend == "acp" and by_project and bool(self.command or self.env or self.writes)

    @property
    def label(self) -> str:
        """What answers, for people: a scripted agent is always called that."""
        if self.backend == "scripted":
            return f"scripted ({self.name})"
        if self.backend == "acp":
            return f"acp ({self.recipe or (self.command[0] if self.command else '?')})"
        return self.model or "no model"


def handle_of_model(model: str) -> str:
    """The handle of an agent that is nothing but a model: `openai/gpt-4.1-mini` is @gpt-4-1-mini."""
    last = model.rstrip("/").rsplit("/", 1)[-1].lower()
    return re.sub(r"[^a-z0-9]+", "-", last).strip("-")[:64].strip("-") or "model"
