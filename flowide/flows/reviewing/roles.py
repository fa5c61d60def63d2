"""Which agent does what in a review."""

from __future__ import annotations

from flowide.errors import BadInput
from flowide.flows.state import RunState, is_critic


def agent_of(state: RunState, by: str) -> str:
    """The agent of this handle, else of this role, else one that suits the role.

    Drafters and other writers do not judge, so a critic writes only when there is nobody else; an editor or
    reviewer is a critic where there is one; a polisher is not the drafter where there are two writers.

    Raises:
        BadInput: `@handle` names no agent of the run.
    """
    name = by.removeprefix("@").strip()
    if name in state.agents:
        return name
    if by.startswith("@"):
        raise BadInput(f"{by} is no agent of this run", hint=f"Agents: {', '.join(state.agents)}.")
    role = name.casefold()
    for handle, agent in state.agents.items():
        if agent.role.casefold().replace(",", " ").split()[:1] == [role]:
            return handle
    critics = [
        handle
        for handle, agent in state.agents.items()
        if is_critic(agent) or agent.role.casefold().replace(",", " ").split()[:1] == ["editor"]
    ]
    writers = [handle for handle in state.agents if handle not in critics] or critics
    if role in {"editor", "reviewer", "critic", "judge"}:
        return (critics or writers[1:] or writers)[0]
    return writers[-1] if role == "polisher" else writers[0]


def turn_of(state: RunState, agent: str, purpose: str, key: str) -> int:
    """The how-manyeth call with this purpose the agent gets in this run; the same after a resume.

    What goes on in other branches at the same time does not count: how far they are is chance.
    """
    before = [
        step.key
        for step in state.steps.values()
        if step.kind == purpose
        and step.result.get("agent") == agent
        and step.key != key
        and not _elsewhere(state, step.key, key)
    ]
    return len(before) + 1


def _elsewhere(state: RunState, other: str, key: str) -> bool:
    """Whether two calls are in different branches of one parallel step."""
    for step in state.steps.values():
        below = f"{step.key}/"
        if step.kind == "parallel" and other.startswith(below) and key.startswith(below):
            branches = [each.removeprefix(below).partition("/")[0] for each in (other, key)]
            if branches[0] != branches[1]:
                return True
    return False
