"""A text that a run has made becomes the next version of a file, once."""

from __future__ import annotations

import contextlib

from flowide.domain.commands import Provenance, ReleaseLock
from flowide.domain.limits import MAX_NOTE
from flowide.errors import Conflict, FlowError
from flowide.flows.leases import lock_ms
from flowide.flows.state import RunState
from flowide.flows.target import target_of
from flowide.space.leases import LeaseKeeper
from flowide.space.queries import FindArtifact, History
from flowide.space.waiting import acquire


async def save_text(
    state: RunState, key: str, path: str, text: str, *, agent: str, base: int, note: str, model: str | None
) -> tuple[str, int]:
    """Save under the lock as an agent; the artifact and its version. After a resume the same ones again.

    Raises:
        Busy: The lock did not come in time.
        Conflict: The file is not at version `base` any more (0 = there was none); nothing was overwritten.
    """
    space = state.space.acting_as(state.actor(agent))
    origin = Provenance(model=model, run=state.run, step=key)
    said = note.strip().encode()[:MAX_NOTE].decode("utf-8", "ignore")
    target = await target_of(state.space, state.folder, path)
    if target.artifact is None:
        made = await state.folder.create(space, target.path, text, note=said, origin=origin)
        return made.artifact, made.version
    artifact = target.artifact
    for version in await space.read(History(artifact.id)):
        if (version.run, version.step) == (state.run, key):
            return artifact.id, version.version
    ttl_ms = lock_ms(space)
    granted = await acquire(
        space, artifact.id, timeout_s=state.request.lock_timeout_s, ttl_ms=ttl_ms, purpose=f"save {key}"
    )
    fence = granted.fence or 0
    try:
        async with LeaseKeeper.of_lock(space, artifact.id, fence, ttl_ms=ttl_ms):
            now = await space.read(FindArtifact(artifact.id))
            if now.version != base:
                raise Conflict(
                    f"{now.path} is at version {now.version}, and the run began with version {base}",
                    hint="Nothing was overwritten. Start the flow again on the newest version.",
                    path=now.path,
                    artifact=now.id,
                    version=now.version,
                    base=base,
                )
            if text == target.text:
                return now.id, now.version
            saved = await state.folder.save(
                space, now, fence=fence, base=base, data=text, note=said, then="keep", origin=origin
            )
            return now.id, saved.version
    finally:
        # When it was lost meanwhile, it is somebody else's, and there is nothing to give back.
        with contextlib.suppress(FlowError):
            await space.execute(ReleaseLock(artifact=artifact.id, fence=fence))
