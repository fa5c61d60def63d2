"""Rules of artifacts: no version without a lock; a save is legal by its fence and base, never by a clock."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Literal

from flowide.domain import granting, live_text, locks
from flowide.domain.actors import Caller, Now
from flowide.domain.commands import (
    MAX_BLOB,
    MAX_INLINE,
    CreateArtifact,
    DeleteArtifact,
    MoveArtifact,
    RestoreArtifact,
    SaveArtifact,
    Versioned,
)
from flowide.domain.facts import (
    ArtifactCreated,
    ArtifactDeleted,
    ArtifactMoved,
    ArtifactRestored,
    ArtifactSaved,
    LockReleased,
    LockRevived,
    VariationAccepted,
)
from flowide.domain.limits import MAX_NAME, MAX_NOTE, check_text, check_ttl
from flowide.domain.outcome import Outcome
from flowide.domain.paths import checked_path, path_key
from flowide.domain.rows import Artifact, Lock, Variation, Version
from flowide.domain.view import Decision, View
from flowide.errors import BadInput, Conflict, Exists, NotFound, TooLarge


def content(view: View, text: str | None, blob: str | None, out: Outcome) -> tuple[str, int]:
    """SHA-256 and size of what a command carries, as text or as the name of a blob.

    Raises:
        BadInput: Both or neither is given, or the text is not Unicode.
        TooLarge: The text is above 256 KiB or the blob above 16 MiB.
        NotFound: The blob was not put before.
    """
    if (text is None) == (blob is None):
        raise BadInput("give either text or blob", hint="Text above 256 KiB goes as a blob.")
    if text is not None:
        try:
            data = text.encode()
        except UnicodeEncodeError:
            raise BadInput("text is not valid Unicode", hint="Put it as a blob.") from None
        if len(data) > MAX_INLINE:
            raise TooLarge(
                f"text of {len(data)} bytes", hint="Put a blob first and name it.", limit=MAX_INLINE
            )
        return out.blob(data), len(data)
    size = view.blob_size(blob or "")
    if blob is None or size is None:
        raise NotFound(f"no blob {str(blob)[:80]} was put", hint="Put the blob, then name it.")
    if size > MAX_BLOB:
        raise TooLarge(f"a blob of {size} bytes", limit=MAX_BLOB)
    return blob, size


def writable(
    view: View, artifact: str, fence: int, base: int, caller: Caller, *, deleted: bool = False
) -> tuple[Artifact, Lock]:
    """The artifact and lock, if the caller may make the next version.

    Raises:
        Fenced: The fence has ended.
        Conflict: The artifact has moved on from `base`.
    """
    row = locks.artifact_row(view, artifact)
    lock = locks.held_lock(view, artifact, fence, caller)
    if base != row.version:
        raise Conflict(
            f"{row.path} is at version {row.version}, and this change is based on version {base}",
            hint="Look at what changed, then save on top of the newest version.",
            version=row.version,
        )
    if row.deleted and not deleted:
        raise NotFound(f"{row.path} was deleted", hint="Restore a version first.")
    return row, lock


def finish(view: View, lock: Lock, then: Literal["keep", "release"], now: Now, out: Outcome) -> int | None:
    """After a version: release the lock, or go on under the same fence. Returns the fence that is kept."""
    live_text.drop_live(view, lock, out)
    if then == "release":
        granting.free(view, lock, now, out)
        return None
    if lock.state == "lapsed":
        out.facts.append(LockRevived(artifact=lock.artifact, fence=lock.fence))
    granting.keep_alive(view, lock, now, out)
    return lock.fence


def create(view: View, command: CreateArtifact, caller: Caller, now: Now) -> Decision:
    """Make version 1 under the first grant of its lock."""
    check_ttl(command.ttl_ms)
    check_text("id", command.id, MAX_NAME, least=1)
    check_text("kind", command.kind, MAX_NAME, least=1)
    check_text("note", command.note, MAX_NOTE)
    path = checked_path(command.path)
    if view.get(Artifact, command.id) is not None:
        raise Exists(f"there is an artifact {command.id} already", hint="Make a new id.")
    _check_free(view, path)
    if command.lock:
        locks.check_lock_limit(view, caller, now)
    out = Outcome()
    digest, size = content(view, command.text, command.blob, out)
    lock = Lock(command.id)
    fence = granting.grant(
        lock, granting.holder_of(caller), now, out, ttl_ms=command.ttl_ms, purpose="create"
    )
    out.facts.append(
        ArtifactCreated(
            artifact=command.id,
            path=path,
            kind=command.kind,
            version=1,
            base=0,
            sha256=digest,
            size=size,
            fence=fence,
            note=command.note,
            model=command.origin.model,
            run=command.origin.run,
            step=command.origin.step,
            parents=command.origin.parents,
        )
    )
    for parent in command.origin.parents:
        set, number = parent.get("set"), parent.get("variation")
        known = isinstance(set, str) and isinstance(number, int)
        chosen = view.get(Variation, set, number) if known else None
        if chosen is not None and chosen.sha256 == digest:
            out.facts.append(
                VariationAccepted(set=chosen.set, number=chosen.number, artifact=command.id, version=1)
            )
    if not command.lock:
        out.facts.append(LockReleased(artifact=command.id, fence=fence))
        out.put.clear()
    return out.decision(Versioned(command.id, 1, digest, fence=fence if command.lock else None))


def save(view: View, command: SaveArtifact, caller: Caller, now: Now) -> Decision:
    """Make the next version."""
    check_text("note", command.note, MAX_NOTE)
    row, lock = writable(view, command.artifact, command.fence, command.base, caller)
    out = Outcome()
    digest, size = content(view, command.text, command.blob, out)
    out.facts.append(
        ArtifactSaved(
            **_saved(row, digest, size, command.fence, command.note),
            model=command.origin.model,
            run=command.origin.run,
            step=command.origin.step,
            parents=command.origin.parents,
        )
    )
    fence = finish(view, lock, command.then, now, out)
    return out.decision(Versioned(row.id, row.version + 1, digest, fence))


def move(view: View, command: MoveArtifact, caller: Caller, now: Now) -> Decision:
    """Make the next version, with the same bytes, under another path."""
    check_text("note", command.note, MAX_NOTE)
    row, lock = writable(view, command.artifact, command.fence, command.base, caller)
    path = checked_path(command.path)
    if path == row.path:
        raise BadInput(f"{path} is its path already")
    _check_free(view, path, but=row.id)
    out = Outcome()
    data = _saved(row, row.sha256, row.size, command.fence, command.note) | {"path": path}
    out.facts.append(ArtifactMoved(**data, old_path=row.path))
    fence = finish(view, lock, command.then, now, out)
    return out.decision(Versioned(row.id, row.version + 1, row.sha256, fence))


def delete(view: View, command: DeleteArtifact, caller: Caller, now: Now) -> Decision:
    """Take the artifact out of the folder; what it was stays in its versions."""
    check_text("note", command.note, MAX_NOTE)
    row, lock = writable(view, command.artifact, command.fence, command.base, caller)
    out = Outcome()
    empty = sha256(b"").hexdigest()
    out.blob(b"")
    out.facts.append(ArtifactDeleted(**_saved(row, empty, 0, command.fence, command.note)))
    finish(view, lock, "release", now, out)
    return out.decision(Versioned(row.id, row.version + 1, empty))


def restore(view: View, command: RestoreArtifact, caller: Caller, now: Now) -> Decision:
    """Make the next version with the bytes of an older one."""
    check_text("note", command.note, MAX_NOTE)
    row, lock = writable(view, command.artifact, command.fence, command.base, caller, deleted=True)
    old = view.get(Version, row.id, command.version)
    if old is None:
        raise NotFound(
            f"{row.path} has no version {command.version}",
            hint=f"It has versions 1 to {row.version}.",
            version=row.version,
        )
    if row.deleted:
        _check_free(view, row.path)
    out = Outcome()
    out.facts.append(
        ArtifactRestored(
            **_saved(row, old.sha256, old.size, command.fence, command.note), from_version=command.version
        )
    )
    fence = finish(view, lock, command.then, now, out)
    return out.decision(Versioned(row.id, row.version + 1, old.sha256, fence))


def _saved(row: Artifact, digest: str, size: int, fence: int, note: str) -> dict[str, Any]:
    return {
        "artifact": row.id,
        "path": row.path,
        "version": row.version + 1,
        "base": row.version,
        "sha256": digest,
        "size": size,
        "fence": fence,
        "note": note,
    }


def _check_free(view: View, path: str, *, but: str | None = None) -> None:
    taken = [row for row in view.find(Artifact, path_key=path_key(path)) if row.id != but]
    if taken:
        raise Exists(
            f"{taken[0].path} exists already",
            hint="Save a new version of it, or choose another path.",
            artifact=taken[0].id,
            path=taken[0].path,
        )
