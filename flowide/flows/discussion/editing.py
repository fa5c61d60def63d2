"""An agent that is asked to change an artifact: lock, draft that can be watched, save, or why not."""

from __future__ import annotations

import contextlib

from msgspec import Struct, structs

from flowide.agents.api import Request
from flowide.agents.context import Item, decode, encode, quoted
from flowide.domain import rows
from flowide.domain.commands import Provenance, ReleaseLock
from flowide.domain.limits import MAX_NOTE
from flowide.errors import BadInput, Busy, Conflict, Fenced, FlowError, Gone, NotFound
from flowide.flows.asking import ask
from flowide.flows.discussion.answering import Answered, Place, asked_of, key_of, say, session_of, take
from flowide.flows.discussion.context import tell
from flowide.flows.discussion.posting import Writing, compose
from flowide.flows.drafting import DraftStream, words_of
from flowide.flows.leases import lock_ms
from flowide.flows.stable import stable_id
from flowide.flows.target import Target
from flowide.project.kinds import is_text
from flowide.space.api import Space
from flowide.space.leases import LeaseKeeper
from flowide.space.queries import (
    Content,
    FindArtifact,
    FindThread,
    History,
    Locks,
    OneMessage,
    OneTurn,
    Spoken,
)
from flowide.space.waiting import acquire


class _Job(Struct, frozen=True):
    """An edit on its way."""

    place: Place
    turn: rows.Turn
    key: str
    artifact: rows.Artifact
    space: Space
    """Seen by the agent."""

    @property
    def ttl_ms(self) -> int:
        """Of the lock."""
        return lock_ms(self.space)

    @property
    def purpose(self) -> str:
        """Of the lock; tells this edit from others of the same agent."""
        return f"asked in thread {self.turn.thread[:13]}, #{self.turn.number}"


async def edit(place: Place, turn: rows.Turn, done: Answered) -> int | None:
    """Have an agent change an artifact, and say so; the number of its message.

    Raises:
        Busy: Another run writes this answer.
        FlowError: The answer could not be had.
    """
    state, key = place.state, key_of(place, turn)
    await state.space.execute(take(state, turn, key, turn.manifest))
    try:
        artifact = await state.folder.find(state.space, turn.edit or "")
    except NotFound:
        from flowide.flows.discussion.making import make

        return await make(place, turn, key)
    if artifact.deleted:
        raise NotFound(f"{artifact.path} was deleted", hint="Restore it, then ask again.")
    job = _Job(place, turn, key, artifact, state.space.acting_as(state.actor(turn.agent)))
    try:
        fence = await _lock(job)
    except Busy as busy:
        done.failures.append(busy)
        why = await _who(job)
        return await say(
            place, turn, key, f"I could not change #{artifact.path}: {why} Ask me again later.", None
        )
    try:
        async with LeaseKeeper.of_lock(job.space, artifact.id, fence, ttl_ms=job.ttl_ms) as keeper:
            said, manifest = await _write(job, fence, keeper)
    except (Conflict, Gone) as refused:
        now = await state.space.read(OneTurn(turn.message, turn.agent))
        if now is None or now.state not in {"waiting", "taken"}:
            return None
        done.failures.append(refused)
        text = f"I could not change #{artifact.path}: {refused.message}. What I wrote is kept as a draft."
        return await say(place, turn, key, text, None)
    finally:
        # When it was lost meanwhile, it is somebody else's, and there is nothing to give back.
        with contextlib.suppress(FlowError):
            await job.space.execute(ReleaseLock(artifact=artifact.id, fence=fence))
    return await say(place, turn, key, said, manifest)


async def _lock(job: _Job) -> int:
    """The fence: at once, left by this edit before it broke off, or after a wait that is announced.

    Raises:
        Busy: Somebody else holds the lock all the time.
    """
    timeout_s = job.place.state.request.lock_timeout_s
    try:
        granted = await acquire(
            job.space, job.artifact.id, timeout_s=0, ttl_ms=job.ttl_ms, purpose=job.purpose
        )
    except Busy:
        [held] = await job.space.read(Locks(job.artifact.id))
        lock = held.lock
        if (lock.actor, lock.client, lock.purpose) == (job.turn.agent, job.space.client, job.purpose):
            return lock.fence
        if timeout_s <= 0:
            raise
        await _announce(
            job, f"I cannot change #{job.artifact.path} yet: {await _who(job)} I am in the queue."
        )
        granted = await acquire(
            job.space, job.artifact.id, timeout_s=timeout_s, ttl_ms=job.ttl_ms, purpose=job.purpose
        )
    return granted.fence or 0


async def _who(job: _Job) -> str:
    """Who holds the lock, since when, for what, and how long it lasts."""
    [held] = await job.space.read(Locks(job.artifact.id))
    lock = held.lock
    if lock.actor is None:
        return "somebody else held the lock."
    kind = {"agent": "an agent", "human": "a person"}.get(lock.kind or "", "a program")
    since = f" since {lock.since[11:19]} UTC" if lock.since else ""
    purpose = f" for {lock.purpose!r}" if lock.purpose else ""
    until = ""
    if held.expires_ms:
        until = f", and the lock runs out in {-(-held.expires_ms // 1000)} s unless it is renewed"
    return f"{lock.actor}, {kind}, holds it{since}{purpose}{until}."


async def _announce(job: _Job, text: str) -> None:
    """Say something that is no answer yet, once."""
    state = job.place.state
    id = stable_id(state.run, f"{job.key}/waits")
    try:
        await job.space.read(OneMessage(id))
    except NotFound:
        thread = await job.space.read(FindThread(job.turn.thread))
        writing = Writing(thread=thread.id, text=text, known=[], message=id, run=state.run, step=job.key)
        composed = await compose(job.space, state.folder, writing)
        await job.space.execute(composed.command)


async def _write(job: _Job, fence: int, keeper: LeaseKeeper) -> tuple[str, str | None]:
    """Have the text written and save it; what the agent says, and its manifest."""
    state, key = job.place.state, job.key
    for version in await job.space.read(History(job.artifact.id)):
        if (version.run, version.step) == (state.run, key):  # saved before the process was gone
            return await _told(job, version.version), job.turn.manifest
    artifact = await job.space.read(FindArtifact(job.artifact.id))
    message = await state.space.read(OneMessage(job.turn.message))
    target = await _target(job, artifact, message)
    manifest, request = await _request(job, artifact, target)
    draft = DraftStream(job.space, job.artifact.id, fence, keeper)
    reply = await ask(
        state,
        key,
        request,
        manifest=manifest,
        usable=lambda text: _text_of(text, target),
        heard=draft.heard,
    )
    text = _text_of(reply, target)
    words = words_of(reply)
    if text == target.text:
        return f"{words}\n\nNothing is changed in #{artifact.path}.".strip(), manifest
    step = state.steps[key]
    origin = Provenance(
        model=step.result.get("model"),
        run=state.run,
        step=key,
        parents=[{"thread": message.thread, "message": message.id, "number": message.number}],
    )
    note = message.text.strip().encode()[:MAX_NOTE].decode("utf-8", "ignore")
    try:
        saved = await state.folder.save(
            job.space, artifact, fence=fence, base=artifact.version, data=text, note=note, origin=origin
        )
    except Fenced as lost:
        raise Gone(f"the lock was taken away: {lost.message}") from lost
    return await _told(job, saved.version, words), manifest


def made_in_words(path: str, text: str) -> str:
    """What an agent says of a file it made."""
    lines = text.count("\n")
    return f"Made #{path}@1: {lines} line{'s' * (lines != 1)}."


async def _told(job: _Job, version: int, words: str = "") -> str:
    from flowide.project.diffs import counts

    after = await job.space.read(Content(job.artifact.id, version))
    if version == 1:  # made before the process was gone
        return made_in_words(job.artifact.path, after.decode(errors="replace"))
    before = await job.space.read(Content(job.artifact.id, version - 1))
    added, removed = counts(before, after)
    said = f"Saved #{job.artifact.path}@{version}: {added} lines added, {removed} removed."
    return f"{words}\n\n{said}".strip()


async def _target(job: _Job, artifact: rows.Artifact, message: rows.Message) -> Target:
    """The text that is to be changed, or the piece of it the message points at."""
    data = await job.space.read(Content(artifact.id))
    if not is_text(data):
        raise BadInput(f"{artifact.path} is no text", hint="Only texts can be changed by an agent.")
    piece = next(
        (ref.get("piece") for ref in message.refs if ref.get("artifact") == artifact.id and ref.get("piece")),
        None,
    )
    return Target(artifact.path, piece, artifact, data.decode())


async def _request(job: _Job, artifact: rows.Artifact, target: Target) -> tuple[str | None, Request]:
    """The call for the new text.

    Raises:
        Conflict: It was written before the process was gone, for a version that is not the newest any more.
    """
    state, turn = job.place.state, job.turn
    request = Request(
        agent=turn.agent, purpose="edit", messages=[], target=target.path, session=session_of(turn)
    )
    if state.done(job.key) is not None and turn.manifest is not None:
        told = decode(await state.space.blob(turn.manifest))
        base = next((each.version for each in told.items if each.reason == TO_CHANGE), None)
        if base not in {None, artifact.version}:
            raise Conflict(
                f"{artifact.path} is at version {artifact.version} now, and my text is for version {base}",
                version=artifact.version,
            )
        return turn.manifest, request
    asked = await asked_of(job.place, turn)
    item = Item(
        kind="artifact",
        name=f"{artifact.path}@{artifact.version}",
        id=artifact.id,
        version=artifact.version,
        text=f"{artifact.path} as it is now:\n{quoted(target.text)}",
        reason=TO_CHANGE,
        must=True,
    )
    asked = structs.replace(asked, edit=item, task=_task(turn.agent, target))
    prompt = await tell(state.space, state.folder, asked, job.place.budget)
    manifest = await state.space.put_blob(encode(prompt.fitted.manifest))
    await state.space.execute(take(state, turn, job.key, manifest))
    spoken = await state.space.read(Spoken(turn.thread, turn.agent))
    return manifest, structs.replace(request, messages=prompt.messages, turn=spoken + 1)


TO_CHANGE = "it is to be changed"


def _task(agent: str, target: Target) -> str:
    what = f"{target.piece} of {target.path}" if target.piece else target.path
    whole = f"the whole of {what}, with the imports it needs" if target.piece else f"the whole of {what}"
    return (
        f"You are @{agent} in a discussion, and you are asked to change {what}; its lock is yours. "
        "Change what was asked for and nothing else. Answer with one or two sentences about the change, then one "
        f"fenced block that holds {whole}. Leave nothing out: what is not in the block is lost."
    )


def _text_of(reply: str, target: Target) -> str:
    from flowide.flows.steps.vary import usable_text

    return usable_text(reply, target)
