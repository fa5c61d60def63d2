"""Accepting a variation: lock, save with lineage, write the file, release."""

from __future__ import annotations

import contextlib

from flowide.domain.commands import AcceptVariation, Provenance, ReleaseLock, Versioned
from flowide.errors import BadInput, FlowError, NotFound
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space
from flowide.space.leases import LeaseKeeper
from flowide.space.queries import FindArtifact, OneVariationSet, VariationText
from flowide.space.waiting import acquire

TTL_MS = 30_000


async def accept(
    space: Space,
    folder: ProjectFolder,
    set: str,
    number: int,
    *,
    path: str | None = None,
    note: str = "",
    lock_timeout_s: float = 30.0,
) -> Versioned:
    """Make a variation the next version of its artifact (or of `path`), and write the file.

    Raises:
        Busy: The lock did not come in time.
        Conflict: The file was changed on disk meanwhile; nothing was overwritten.
    """
    view = await space.read(OneVariationSet(set))
    target = path or view.set.path
    if not target:
        raise BadInput("where shall it be saved?", hint="Give --path.")
    text = await space.read(VariationText(view.set.id, number))
    try:
        artifact = await folder.artifact(space, target)
    except NotFound:
        row = next(each.variation for each in view.variations if each.variation.number == number)
        parent = {"set": view.set.id, "variation": number, "actor": row.actor, "kind": row.kind}
        if row.lineage:
            parent["lineage"] = row.lineage
        origin = Provenance(model=row.model, run=row.run, step=row.step, parents=[parent])
        return await folder.create(space, target, text, note=note, origin=origin)
    granted = await acquire(
        space, artifact.id, timeout_s=lock_timeout_s, ttl_ms=TTL_MS, purpose=f"accept variation {number}"
    )
    fence = granted.fence or 0
    try:
        async with LeaseKeeper.of_lock(space, artifact.id, fence, ttl_ms=TTL_MS):
            # The lock is ours: whatever the disk says now is what the save builds on.
            artifact = await space.read(FindArtifact(artifact.id))
            saved = (
                await space.execute(
                    AcceptVariation(
                        set=view.set.id,
                        number=number,
                        artifact=artifact.id,
                        fence=fence,
                        base=artifact.version,
                        note=note,
                        then="keep",
                    )
                )
            ).ok
            await folder.write_out(space, artifact)
    finally:
        # When it was lost meanwhile, it is somebody else's, and there is nothing to give back.
        with contextlib.suppress(FlowError):
            await space.execute(ReleaseLock(artifact=artifact.id, fence=fence))
    return saved
