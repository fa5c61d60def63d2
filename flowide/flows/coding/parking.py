"""A text that may not become a version now waits as a variation, and everybody is told."""

from __future__ import annotations

from pathlib import PurePosixPath

from msgspec import Struct

from flowide.domain import rows
from flowide.domain.commands import AddVariation, OpenThread, OpenVariationSet, PostMessage
from flowide.errors import FlowError, NotFound
from flowide.flows.stable import stable_id
from flowide.flows.state import RunState
from flowide.project.kinds import is_text
from flowide.project.sync import content_of
from flowide.space.queries import FindThread, OneMessage, OneVariationSet


class Parked(Struct, frozen=True, omit_defaults=True):
    """Where a text waits."""

    path: str
    why: str
    set: str | None = None
    """The variation set whose first variation it is."""
    kept: str | None = None
    """The file with its bytes, when they are no text."""

    @property
    def where(self) -> str:
        """For people."""
        if self.set is not None:
            return f"variation 1 of set {self.set[:13]}"
        return f"the file {self.kept}" if self.kept else "nowhere"


async def park(
    state: RunState, key: str, agent: str, path: str, data: bytes, why: str, artifact: rows.Artifact | None
) -> Parked:
    """Keep the text as a variation of the artifact; bytes that are no text as a file of the workspace. Once."""
    if not is_text(data):
        return Parked(path, why, kept=state.folder.keep_beside(PurePosixPath(path).name, data))
    set = stable_id(state.run, f"{key}/{path}")
    try:
        await state.space.read(OneVariationSet(set))
        return Parked(path, why, set=set)
    except NotFound:
        pass
    opened = OpenVariationSet(
        set=set,
        title=path,
        brief=f"What @{agent} wrote, which could not be saved: {why}.",
        path=path,
        artifact=None if artifact is None else artifact.id,
        base=None if artifact is None else artifact.version,
        run=state.run,
    )
    content = await content_of(state.space, data)
    added = AddVariation(set=set, id=stable_id(set, "1"), author=agent, run=state.run, step=key, **content)
    await state.commit(opened, added, actor=state.actor(agent))
    return Parked(path, why, set=set)


async def tell_everybody(state: RunState, key: str, agent: str, text: str, about: str | None) -> None:
    """Say it in a thread of its own, about the artifact where there is one; once."""
    thread, message = stable_id(state.run, f"{key}/thread"), stable_id(state.run, f"{key}/told")
    try:
        await state.space.read(FindThread(thread))
    except NotFound:
        opened = OpenThread(thread=thread, title=f"What @{agent} could not save", about=about, run=state.run)
        await state.space.execute(opened)
    try:
        await state.space.read(OneMessage(message))
    except NotFound:
        post = PostMessage(thread=thread, message=message, text=text, run=state.run, step=key)
        await state.space.acting_as(state.actor(agent)).execute(post)


def why_of(error: FlowError) -> str:
    """Why it could not be saved, in words that fit into a sentence."""
    if error.code == "busy":
        return f"{error.data.get('holder') or 'somebody else'} holds the lock"
    return error.message
