"""Looking at an artifact, and the life of an edit: take the lock, stream the draft, save, release."""

from __future__ import annotations

import asyncio
import contextlib

from flowide.domain import rows
from flowide.domain.commands import AddVariation, AdoptDraft, AppendDraft, OpenVariationSet, ReleaseLock
from flowide.errors import BadInput, Conflict, Fenced, NotFound
from flowide.space import queries as q
from flowide.space.leases import LeaseKeeper
from flowide.space.waiting import acquire
from flowide.tui.engine.session import Hold, Session
from flowide.tui.views.actors import is_mine
from flowide.tui.views.align import common_start
from flowide.tui.views.artifact import OpenArtifact

LOOK_BACK = 500
"""Events among which the one that ended a lock is looked for."""
MOST_SHOWN = 4 * 1024 * 1024
"""Bytes; larger files are not drawn."""


async def look(session: Session, path: str) -> OpenArtifact:
    """The newest text of a file, and its lock; reading makes it an artifact only when it is text."""
    target = session.folder.root / path
    try:
        size = (await asyncio.to_thread(target.stat)).st_size
    except OSError:
        size = 0
    if size > MOST_SHOWN:
        return OpenArtifact(
            path=path, artifact=None, text=None, problem=f"{size // 1_048_576} MiB is too large to show here."
        )
    warning = ""
    try:
        artifact = await session.folder.artifact(session.space, path)
    except Conflict as conflict:
        artifact = await session.space.read(q.FindArtifact(conflict.data["artifact"]))
        warning = f"{conflict.message}: this is version {artifact.version}, not the file"
    except BadInput as error:
        return OpenArtifact(path=path, artifact=None, text=None, problem=f"{error.message}. {error.hint}")
    except OSError as error:
        return OpenArtifact(
            path=path, artifact=None, text=None, problem=f"It cannot be read: {error.strerror}."
        )
    data = await session.space.read(q.Content(artifact.id))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return OpenArtifact(path=path, artifact=artifact, text=None, problem="This file is not text.")
    history = await session.space.read(q.History(artifact.id))
    lock, draft = await watch(session, artifact.id)
    return OpenArtifact(
        path=artifact.path,
        artifact=artifact,
        text=text,
        newest=history[-1] if history else None,
        lock=lock,
        draft=draft,
        warning=warning,
    )


async def watch(session: Session, artifact: str) -> tuple[q.LockState | None, str | None]:
    """The lock of an artifact, and what somebody else is writing in it."""
    states = await session.space.read(q.Locks(artifact))
    state = states[0] if states else None
    if state is None or state.lock.state == "free" or _mine(session, state):
        return state, None
    draft = await session.space.read(q.LiveDraft(artifact))
    return state, None if draft is None else draft.text


async def take(session: Session, artifact: rows.Artifact, purpose: str, *, wait_s: float | None = 0) -> Hold:
    """Take the lock and keep it alive; `wait_s` seconds in its queue at most, None = as long as it takes.

    Raises:
        Busy: Somebody else holds it.
    """
    held = session.holds.get(artifact.id)
    if held is not None:
        return held
    granted = await acquire(
        session.space, artifact.id, timeout_s=wait_s, ttl_ms=session.place.ttl_ms, purpose=purpose
    )
    if granted.fence is None or granted.version is None:
        raise BadInput("the lock was granted without a fence")
    newest = await session.space.read(q.FindArtifact(artifact.id))
    return await keep(session, newest, granted.fence)


async def own_draft(session: Session, artifact: str) -> str | None:
    """What is written under our own lock and not saved yet; None when nothing is."""
    found = await session.space.read(q.LiveDraft(artifact))
    hold = session.holds.get(artifact)
    if found is None or hold is None or found.fence != hold.fence or not found.text:
        return None
    hold.sent = found.text
    return found.text


async def adopt(session: Session, draft: str) -> str:
    """Take the lock and go on with a kept draft; the path of its artifact.

    Raises:
        Busy: Somebody holds the lock.
    """
    kept = next((each for each in await session.space.read(q.Drafts()) if each.id == draft), None)
    if kept is None:
        raise NotFound("this draft is gone")
    artifact = await session.space.read(q.FindArtifact(kept.artifact))
    adopted = (await session.space.execute(AdoptDraft(draft=draft, ttl_ms=session.place.ttl_ms))).ok
    await keep(session, artifact, adopted.fence)
    return artifact.path


async def keep(session: Session, artifact: rows.Artifact, fence: int) -> Hold:
    """Go on renewing a lock of ours."""
    keeper = LeaseKeeper.of_lock(session.space, artifact.id, fence, ttl_ms=session.place.ttl_ms)
    await keeper.__aenter__()
    hold = Hold(artifact, fence, artifact.version, keeper, await session.space.head())
    session.holds[artifact.id] = hold
    return hold


async def stream_draft(session: Session, artifact: str, text: str) -> None:
    """Store what the editor holds now; others see it as it is typed.

    Raises:
        Fenced: The lock was lost meanwhile.
    """
    hold = session.holds.get(artifact)
    if hold is None or hold.sent == text:
        return
    same = common_start(hold.sent, text)
    await session.space.execute(
        AppendDraft(
            artifact=artifact,
            fence=hold.fence,
            off=len(text[:same].encode()),
            text=text[same:],
            cut=same < len(hold.sent),
        )
    )
    hold.sent = text


async def save(session: Session, artifact: str, text: str, note: str = "", *, keep: bool = False) -> int:
    """Make a version of the text and write the file; the number of the version.

    Raises:
        Fenced: The lock was lost; the text stays in the editor.
        Conflict: The file changed underneath.
    """
    hold = session.holds.get(artifact)
    if hold is None:
        raise BadInput("this artifact is not being edited here")
    saved = await session.folder.save(
        session.space,
        hold.artifact,
        fence=hold.fence,
        base=hold.base,
        data=text,
        note=note,
        then="keep" if keep else "release",
    )
    if keep:
        hold.base, hold.sent = saved.version, ""
        hold.artifact = await session.space.read(q.FindArtifact(artifact))
    else:
        session.holds.pop(artifact, None)
        await hold.keeper.__aexit__(None, None, None)
    return saved.version


async def release(session: Session, artifact: str, *, drop: bool = False) -> None:
    """Give the lock back; with `drop` the unsaved text goes, else it stays as a draft."""
    hold = session.holds.pop(artifact, None)
    if hold is None:
        return
    await hold.keeper.__aexit__(None, None, None)
    with contextlib.suppress(Fenced):  # it was ended by somebody else, and what was stored is a draft
        await session.space.execute(
            ReleaseLock(artifact=artifact, fence=hold.fence, draft="drop" if drop else "keep")
        )


async def as_variation(session: Session, artifact: str, path: str, base: int, text: str) -> int:
    """Keep a text that cannot be saved beside what is there: the number of the new variation."""
    sets = [each for each in await session.space.read(q.VariationSets()) if each.artifact == artifact]
    mine = [each for each in sets if each.run is None and each.base == base]
    if mine:
        set_id = mine[0].id
    else:
        made = OpenVariationSet(
            title=path, path=path, artifact=artifact, base=base, brief="kept from an edit"
        )
        await session.space.execute(made)
        set_id = made.set
    return (await session.space.execute(AddVariation(set=set_id, text=text, origin="manual"))).ok.number


def _mine(session: Session, state: q.LockState) -> bool:
    return is_mine(state.lock, session.space.actor.id, session.space.client)


async def saved_later(session: Session, artifact: str, text: str) -> int | None:
    """The version that a save became which had to wait for the hub; None = it became none."""
    newest = (await session.space.read(q.History(artifact)))[-1]
    data = await session.space.read(q.Content(artifact, newest.version))
    if newest.actor != session.space.actor.id or not _says(data, text):
        return None
    hold = session.holds.pop(artifact, None)
    if hold is not None:
        await hold.keeper.__aexit__(None, None, None)
    return newest.version


def _says(data: bytes, text: str) -> bool:
    """Whether a version is this text; its line ends may be those of the file."""
    return data.replace(b"\r\n", b"\n") == text.encode().replace(b"\r\n", b"\n")


async def why_lost(session: Session, artifact: str, fence: int) -> str:
    """Who ended a lock of ours and the reason they gave; empty when nobody did."""
    head = await session.space.head()
    told = ""
    async for event in session.space.events(max(0, head - LOOK_BACK)):
        data = event.data
        if event.type == "lock.forced" and (data.get("artifact"), data.get("fence")) == (artifact, fence):
            told = f"{event.actor.get('id', 'somebody')} ended your lock: {data.get('reason', '')}"
    return told
