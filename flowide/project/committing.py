"""Versions go into git: by themselves, when a person says so, or not at all (`[git] commit`)."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flowide import settings
from flowide.domain import rows
from flowide.domain.actors import DISK
from flowide.domain.commands import AnswerGate, OpenGate, RecordCommit, Versioned
from flowide.errors import BadInput, FlowError, Gone, NotFound
from flowide.project.answering import COMMIT
from flowide.project.attribution import Writer, attribution, identity_of
from flowide.project.git_model import Change, Committed, Identity
from flowide.project.repository import Repository
from flowide.project.turn import FolderTurn, uninterrupted
from flowide.space.api import Space
from flowide.space.queries import Commits, Content, FindArtifact, Gates, History

if TYPE_CHECKING:
    from flowide.project.folder import ProjectFolder

YES, NO = "commit", "skip"


class Committing:
    """What happens in git after a version was made in a folder."""

    def __init__(self, folder: ProjectFolder) -> None:
        self._folder = folder
        self._told: set[str] = set()

    async def saved(self, space: Space, made: Versioned, policy: Literal["ask", "auto"]) -> None:
        """Commit the version, or ask whether to; what goes wrong is told once, and the version stands."""
        try:
            row = await space.read(FindArtifact(made.artifact))
            if policy == "auto":
                done = await commit_version(self._folder, space, row, made.version)
                for path in [] if done is None else done.left_staged:
                    self._folder.tell(f"{path} has staged changes of yours, which were left as they are")
            else:
                await ask(self._folder, space, row, made.version)
        except FlowError as error:
            if error.message not in self._told:
                self._told.add(error.message)
                self._folder.tell(f"not committed to git: {error.message}. {error.hint}".strip())


async def commit_version(
    folder: ProjectFolder,
    space: Space,
    artifact: rows.Artifact,
    version: int | None = None,
    *,
    gate: str | None = None,
) -> Committed | None:
    """Commit one version (None = the newest) of an artifact, and record the commit in the log.

    None = git holds it already, which is recorded too, or holds a newer version. `gate` is the question that
    this answers, if there was one.

    Raises:
        FlowError: It cannot be committed; see `Repository.commit`.
    """
    number = version or artifact.version
    history = await space.read(History(artifact.id))
    made = next((each for each in history if each.version == number), None)
    if made is None:
        raise NotFound(f"{artifact.path} has no version {number}", hint=f"It has 1 to {artifact.version}.")
    async with FolderTurn(folder.dot_dir / "git.turn")():
        known = await space.read(Commits(artifact.id))
        if any(each.version > number for each in known):
            return None
        done = await uninterrupted(_commit(folder, space, artifact, made, history, known))
    await _withdraw(space, artifact.id, number, committed=True, but=gate)
    return done


async def _commit(
    folder: ProjectFolder,
    space: Space,
    artifact: rows.Artifact,
    made: rows.Version,
    history: list[rows.Version],
    known: list[rows.Commit],
) -> Committed | None:
    place = await asyncio.to_thread(Repository.around, nearest(folder, made.path))
    local = await asyncio.to_thread(place.identity)
    me = _local_handle(folder, space, local)
    said = await attribution(space, artifact, made, local, me)
    gone = artifact.deleted and made.version == artifact.version
    data = b"" if gone else await space.read(Content(artifact.id, made.version))
    changes = {made.path: None if gone else data}
    # Paths it had since it was last committed give way, unless another artifact has them by now.
    since = max((each.version for each in known), default=0)
    for each in history:
        if since <= each.version < made.version and each.path not in changes:
            changes[each.path] = None
    listed = [
        change for path, content in changes.items() if (change := _change(folder, place, path, content))
    ]
    if not listed:
        return None
    done = await asyncio.to_thread(
        place.commit,
        listed,
        said.message,
        author=identity_of(said.author, local, me),
        committer=identity_of(Writer(me, "human"), local, me),
        when=made.ts,
        onto=settings.load(folder.root).settings.git.branch or None,
        scratch=folder.dot_dir,
    )
    if (made.version, done.commit) not in {(each.version, each.commit) for each in known}:
        await space.execute(
            RecordCommit(artifact=artifact.id, version=made.version, commit=done.commit, ref=done.ref)
        )
    return done if done.made else None


def _change(folder: ProjectFolder, place: Repository, path: str, data: bytes | None) -> Change | None:
    """The change at a path; None for an old path that is elsewhere, or in use again."""
    file = folder.root / folder.tree.on_disk(path)
    try:
        status = file.stat()
    except OSError:
        status = None
    if data is None and status is not None:
        return None
    try:
        relative = place.relative(file)
    except BadInput:
        if data is None:
            return None
        raise
    return Change(relative, data, executable=status is not None and bool(status.st_mode & 0o100))


def nearest(folder: ProjectFolder, path: str) -> Path:
    """The folder that holds a path, or the nearest one above that is still there, within the project."""
    here = (folder.root / folder.tree.on_disk(path)).parent
    while here != folder.root and not os.path.isdir(here):
        here = here.parent
    return here


def local_identity(folder: ProjectFolder, space: Space, place: Repository) -> Identity:
    """How git names the person whose machine this is."""
    local = place.identity()
    me = _local_handle(folder, space, local)
    return identity_of(Writer(me, "human"), local, me)


def _local_handle(folder: ProjectFolder, space: Space, local: Identity) -> str:
    """That person's handle: of the settings, else made of the git user as the command line makes it."""
    of_git = re.sub(r"[^\w]+", "-", local.name.casefold()).strip("-_")[:64]
    return settings.load(folder.root).settings.me.handle or of_git or space.actor.for_ or space.actor.id


# --- asking first -------------------------------------------------------------------------------------


async def ask(folder: ProjectFolder, space: Space, artifact: rows.Artifact, version: int) -> None:
    """Ask whether a version shall be committed; an older question about the artifact is closed.

    Raises:
        BadInput: The artifact is in no repository.
    """
    place = await asyncio.to_thread(Repository.around, nearest(folder, artifact.path))
    branch = settings.load(folder.root).settings.git.branch
    to = branch or (await asyncio.to_thread(place.branch)).removeprefix("refs/heads/")
    await _withdraw(space, artifact.id, version)
    await space.execute(
        OpenGate(
            kind=COMMIT,
            question=f"Commit version {version} of {artifact.path} to {to}?",
            options=[YES, NO],
            context={"artifact": artifact.id, "path": artifact.path, "version": version},
        )
    )


async def answer_commit(
    folder: ProjectFolder, space: Space, gate: rows.Gate, answer: str, reason: str | None
) -> None:
    """Commit, when that is the answer, and record it; while git refuses, the question stays."""
    if answer == YES:
        row = await space.read(FindArtifact(str(gate.context["artifact"])))
        await commit_version(folder, space, row, int(gate.context["version"]), gate=gate.id)
    await _ignoring_gone(space.execute(AnswerGate(gate=gate.id, answer=answer, reason=reason)))


async def _withdraw(
    space: Space, artifact: str, version: int, *, committed: bool = False, but: str | None = None
) -> None:
    """Close the questions that a version of an artifact, or its commit, has answered."""
    for gate in await space.read(Gates()):
        if gate.kind != COMMIT or gate.id == but or gate.context.get("artifact") != artifact:
            continue
        if gate.context["version"] < version:
            answer = AnswerGate(gate=gate.id, answer=NO, reason=f"version {version} came after it")
        elif committed and gate.context["version"] == version:
            answer = AnswerGate(gate=gate.id, answer=YES, reason="it was committed on request")
        else:
            continue
        await _ignoring_gone(space.acting_as(DISK).execute(answer))


async def _ignoring_gone(work: Awaitable[object]) -> None:
    try:
        await work
    except Gone:
        return  # somebody was quicker
