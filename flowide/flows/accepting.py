"""Accepting a variation: lock, save with lineage, write the file, release."""

from __future__ import annotations

import contextlib

from flowide.domain import rows
from flowide.domain.commands import Provenance, ReleaseLock, Versioned
from flowide.errors import BadInput, Conflict, FlowError, NotFound
from flowide.flows.leases import lock_ms
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space
from flowide.space.leases import LeaseKeeper
from flowide.space.queries import FindArtifact, OneVariationSet, SetView, VariationText
from flowide.space.waiting import acquire


async def accept(
    space: Space,
    folder: ProjectFolder,
    set: str,
    number: int,
    *,
    path: str | None = None,
    note: str = "",
    base: int | None = None,
    lock_timeout_s: float = 30.0,
) -> Versioned:
    """Make a variation the next version of its artifact (or of `path`), and write the file.

    `base` is the version it goes on top of; None = the one that the set started from.

    Raises:
        Busy: The lock did not come in time.
        Conflict: The artifact is not at that version any more, or its file was changed on disk meanwhile.
            Nothing was overwritten, and the variation stays in its set.
    """
    view = await space.read(OneVariationSet(set))
    target = path or view.set.path
    if not target:
        raise BadInput("where shall it be saved?", hint="Give --path.")
    text = await space.read(VariationText(view.set.id, number))
    chosen = next(each.variation for each in view.variations if each.variation.number == number)
    try:
        artifact = await folder.artifact(space, target)
    except NotFound:
        return await folder.create(space, target, text, note=note, origin=_origin(chosen))
    _check_base(view, chosen, artifact, base, elsewhere=path is not None and path != view.set.path)
    ttl_ms = lock_ms(space)
    granted = await acquire(
        space, artifact.id, timeout_s=lock_timeout_s, ttl_ms=ttl_ms, purpose=f"accept variation {number}"
    )
    fence = granted.fence or 0
    try:
        async with LeaseKeeper.of_lock(space, artifact.id, fence, ttl_ms=ttl_ms):
            # Now that the lock is ours: it may have been saved while we waited.
            artifact = await space.read(FindArtifact(artifact.id))
            _check_base(view, chosen, artifact, base, elsewhere=path is not None and path != view.set.path)
            saved = await folder.accept(
                space,
                artifact,
                set=view.set.id,
                number=number,
                fence=fence,
                base=artifact.version,
                note=note,
                then="keep",
            )
    finally:
        # When it was lost meanwhile, it is somebody else's, and there is nothing to give back.
        with contextlib.suppress(FlowError):
            await space.execute(ReleaseLock(artifact=artifact.id, fence=fence))
    return saved


def _origin(chosen: rows.Variation) -> Provenance:
    parent = {"set": chosen.set, "variation": chosen.number, "actor": chosen.actor, "kind": chosen.kind}
    if chosen.lineage:
        parent["lineage"] = chosen.lineage
    return Provenance(model=chosen.model, run=chosen.run, step=chosen.step, parents=[parent])


def _check_base(
    view: SetView, chosen: rows.Variation, artifact: rows.Artifact, base: int | None, *, elsewhere: bool
) -> None:
    """Refuse to write over what nobody who chose has seen."""
    if base is None and elsewhere:
        return  # another file than the set's was named: what is there is not what the set started from
    if artifact.version == (view.set.base or 0 if base is None else base):
        return
    ours = {each.variation.accepted for each in view.variations}
    same_text = artifact.sha256 in {chosen.sha256, view.set.base_sha256}
    if base is None and (artifact.version in ours or same_text):
        return
    began = f"version {view.set.base}" if view.set.base else "no file"
    raise Conflict(
        f"{artifact.path} is at version {artifact.version}, and the variations started from {began}",
        hint=(
            f"The variation is kept. See what changed with `flowide artifact history {artifact.path}`; then "
            f"`flowide variations accept {view.set.id[:13]} {chosen.number} --base {artifact.version}` "
            "puts it on top."
        ),
        path=artifact.path,
        artifact=artifact.id,
        version=artifact.version,
        base=view.set.base,
        set=view.set.id,
        number=chosen.number,
    )
