"""`tool`: a tool of an MCP server is called by the flow itself."""

from __future__ import annotations

from typing import Any

from flowide.agents.tools.fitting import misfit
from flowide.errors import BadInput, FlowError, NeedsInput, NotFound, Unavailable
from flowide.flows.contents import MAX_KEPT
from flowide.flows.state import StepContext
from flowide.flows.tooling import use, value_of


async def run(context: StepContext) -> dict[str, Any]:
    """Call it; with `optional` what goes wrong is a warning."""
    try:
        return await _called(context)
    except NeedsInput:
        raise
    except FlowError as error:
        if not context.field("optional") or error.code in {"budget", "fenced", "gone", "storage"}:
            raise
        context.state.observer.warning(f"{context.step.id} is skipped: {error.message}")
        return {"skipped": True, "why": error.message, "text": "", "data": None, "images": []}


async def _called(context: StepContext) -> dict[str, Any]:
    state, id = context.state, context.step.id
    if state.tools is None:
        raise NotFound("there are no tool servers here", hint="Put them into .mcp.json.")
    arguments = state.fill(context.spec.arguments)
    offer = await state.tools.box.find(str(context.field("tool")))
    wrong = misfit(arguments, offer.found.schema)
    if wrong:
        raise BadInput(f"{offer.name}: {wrong}", hint=f"flowide tools show {offer.server.name}")
    used = await use(state, f"{id}/call", offer, arguments, agent=None)
    if used.failed:
        raise Unavailable(f"{offer.name} failed: {used.text[:500]}", tool=offer.name)
    data = value_of(used)
    return {"skipped": False, "text": used.text[:MAX_KEPT], "data": data, "images": used.pictures}
