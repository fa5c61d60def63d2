"""Whether an agent could answer, without asking it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowide.agents.definition import AgentDefinition
from flowide.agents.models import target_of
from flowide.errors import FlowError, NotAllowed


async def problem_of(
    agent: AgentDefinition, *, models: Mapping[str, Any], env: Mapping[str, str], model: str | None = None
) -> FlowError | None:
    """What would make every call to an agent fail (no key, no script); None when nothing is known to."""
    try:
        if agent.backend == "model":
            target_of(agent, models, env, model).check()
        elif agent.backend == "scripted":
            from flowide.agents.scripted import ScriptedBackend

            await ScriptedBackend(agent, env).check()
        else:
            from flowide.agents.acp.backend import AcpBackend
            from flowide.agents.acp.trial import TrialDesk

            await AcpBackend(agent, env=env, desk=TrialDesk()).check()
    except FlowError as problem:
        return problem
    return None


def check_trust(agent: AgentDefinition, trusted: bool) -> None:
    """Raise NotAllowed for a program that only the project names, when the project is not trusted."""
    if agent.needs_trust and not trusted:
        raise NotAllowed(
            f"the project's file of @{agent.handle} says which program is run, and the project is not trusted",
            hint=f"Look at {agent.source}; then give --trust, or list the folder under [trust] in your own settings.",
            agent=agent.handle,
            command=agent.command,
        )
