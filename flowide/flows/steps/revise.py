"""`revise`: an agent changes a text that is there."""

from __future__ import annotations

from typing import Any

from flowide.errors import NotFound
from flowide.flows.state import StepContext
from flowide.flows.steps import draft
from flowide.flows.target import target_of


async def run(context: StepContext) -> dict[str, Any]:
    """As `draft`, of an existing file."""
    path = context.field("path")
    target = await target_of(context.state.space, context.state.folder, path)
    if target.artifact is None:
        raise NotFound(f"there is no file {path} to revise", hint="Put a draft step before, or name a file.")
    return await draft.run(context)
