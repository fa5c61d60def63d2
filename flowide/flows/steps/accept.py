"""`accept`: the chosen variation is saved under the lock, with its lineage."""

from __future__ import annotations

from typing import Any

from flowide.errors import BadInput
from flowide.flows.accepting import accept
from flowide.flows.state import StepContext
from flowide.space.queries import FindArtifact, OneVariationSet


async def run(context: StepContext) -> dict[str, Any]:
    """Save; the result names artifact and version."""
    state = context.state
    set, number = state.outputs.get("set"), state.outputs.get("chosen")
    if not set or not number:
        raise BadInput("nothing was chosen", hint="Put a choose step before the accept step.")
    note = context.field("note") or str(state.inputs.get("brief", ""))
    view = await state.space.read(OneVariationSet(set))
    row = next(each.variation for each in view.variations if each.variation.number == number)
    if row.accepted is None:
        saved = await accept(
            state.space,
            state.folder,
            set,
            number,
            note=note[:1000],
            lock_timeout_s=state.request.lock_timeout_s,
        )
        artifact, version = saved.artifact, saved.version
    else:  # saved before a kill, and not yet recorded; looking at the file writes it if that was left out
        artifact, version = (await state.folder.artifact(state.space, view.set.path or "")).id, row.accepted
    path = (await state.space.read(FindArtifact(artifact))).path
    state.outputs |= {"artifact": artifact, "version": version, "path": path}
    return {"artifact": artifact, "version": version, "path": path}
