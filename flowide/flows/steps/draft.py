"""`draft` and `revise`: an agent writes a text, or its next version, under the lock."""

from __future__ import annotations

from typing import Any

from flowide.flows.prompt import Prompt
from flowide.flows.reviewing import prompts
from flowide.flows.reviewing.roles import agent_of, turn_of
from flowide.flows.reviewing.writing import Job, write
from flowide.flows.state import StepContext
from flowide.flows.target import Target, target_of
from flowide.flows.templates import truth
from flowide.space.queries import Content, Reasons


async def run(context: StepContext) -> dict[str, Any]:
    """One text by one agent; the result names its version."""
    state, step = context.state, context.step
    agent = agent_of(state, context.spec.by)
    path, brief = context.field("path"), context.field("brief")
    target = await target_of(state.space, state.folder, path)
    kind = "document" if target.artifact is None else target.artifact.kind
    remembered = await state.space.read(Reasons(kind))
    told = prompts.Told(
        brief=brief,
        rules=prompts.rules_of(state.folder),
        ask=context.field("ask"),
        remembered=remembered,
    )

    def prompt(target: Target) -> Prompt:
        return prompts.write(state.agents[agent], target, told)

    key = f"{step.id}#1"
    job = Job(
        key=key,
        path=path,
        agent=agent,
        purpose=step.kind,
        turn=turn_of(state, agent, step.kind, key),
        prompt=prompt,
        note=brief,
        hunks=truth(context.field("hunks")),
    )
    written = await write(state, job)
    data = await state.space.read(Content(written.artifact, written.version))
    state.outputs |= {
        "path": written.path,
        "artifact": written.artifact,
        "version": written.version,
        "text": data.decode(),
    }
    return {"by": agent, "path": written.path, "version": written.version, "base": written.base}
