"""From what somebody writes to a message: mentions of agents that exist, references to what there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from flowide.domain import rows
from flowide.domain.commands import PostMessage
from flowide.domain.ids import uuid7
from flowide.domain.mentions import ALL, Parsed, Reference, edit_wishes, parse
from flowide.errors import Conflict, FlowError, NotFound
from flowide.project.folder import ProjectFolder
from flowide.space.api import Space
from flowide.space.queries import FindArtifact, LatestMessage, OneMessage


class Composed(Struct, frozen=True):
    """A message that is ready to be sent."""

    command: PostMessage
    warnings: list[str]
    """What the text points at and is not there."""


class Writing(Struct, frozen=True, kw_only=True):
    """A text on its way into a thread."""

    thread: str
    """Id; it may be about to be opened."""
    text: str
    known: Sequence[str]
    """Handles of the agents there are; other names are plain text."""
    also: Sequence[str] = ()
    """Handles of more, who are asked by their names only: `@all` does not mean them."""
    message: str = ""
    """Id; empty = a new one."""
    reply_to: str | None = None
    before: int | None = None
    """Only messages with smaller numbers are meant by "what @quinn just said"; None = all there are."""
    run: str | None = None
    step: str | None = None


async def compose(space: Space, folder: ProjectFolder, writing: Writing) -> Composed:
    """Look up what a text mentions and points at."""
    parsed = parse(writing.text)
    names = parsed.names
    known = {*writing.known, *writing.also}
    everybody = list(writing.known) if ALL in names else []
    mentions = [*everybody, *(name for name in names if name in known and name not in everybody)]
    refs: list[dict[str, Any]] = []
    warnings: list[str] = []
    edits = await _edits(space, folder, writing, parsed) if space.actor.kind == "human" else {}
    for reference in parsed.references:
        if reference.target in edits.values():
            continue  # it is to be made
        found = await resolve(space, folder, writing.thread, reference)
        if isinstance(found, str):
            warnings.append(found)
        elif found is not None and found not in refs:
            refs.append(found)
    refs += [each for each in await _said(space, writing, parsed) if each not in refs]
    command = PostMessage(
        thread=writing.thread,
        message=writing.message or uuid7(),
        text=writing.text,
        mentions=mentions,
        edits={name: artifact for name, artifact in edits.items() if name in mentions},
        refs=refs,
        reply_to=writing.reply_to,
        run=writing.run,
        step=writing.step,
    )
    return Composed(command, warnings)


async def resolve(
    space: Space, folder: ProjectFolder, thread: str, reference: Reference
) -> dict[str, Any] | str | None:
    """What a reference stands for: an artifact at a version, or a message; a warning, or None for plain text."""
    artifact = await _artifact(space, folder, reference.target)
    if artifact is not None:
        if reference.version is not None and not 1 <= reference.version <= artifact.version:
            return f"{artifact.path} has no version {reference.version}, only 1 to {artifact.version}"
        found: dict[str, Any] = {
            "kind": "artifact",
            "artifact": artifact.id,
            "path": artifact.path,
            "version": reference.version or artifact.version,
        }
        return found | ({"piece": reference.piece} if reference.piece else {})
    if reference.version is None and reference.piece is None:
        try:
            message = await space.read(OneMessage(reference.target, thread))
        except NotFound:
            pass
        else:
            return _message(message)
    if "/" in reference.target or "." in reference.target.strip("."):
        return f"there is no file or artifact {reference.target}; #{reference.target} is taken as text"
    return None


async def _artifact(space: Space, folder: ProjectFolder, path: str) -> rows.Artifact | None:
    try:
        found = await folder.artifact(space, path)
    except Conflict as conflict:
        # The file was changed under somebody's lock: its newest version is what there is to talk about.
        return await space.read(FindArtifact(conflict.data["artifact"]))
    except FlowError:
        return None
    return None if found.deleted else found


def _message(message: rows.Message) -> dict[str, Any]:
    return {
        "kind": "message",
        "message": message.id,
        "thread": message.thread,
        "number": message.number,
        "actor": message.actor,
    }


async def _said(space: Space, writing: Writing, parsed: Parsed) -> list[dict[str, Any]]:
    """The latest messages of those whose words are meant."""
    refs = []
    for name in dict.fromkeys(each.name for each in parsed.said):
        found = await space.read(LatestMessage(writing.thread, name, writing.before))
        if found is not None:
            refs.append(_message(found))
    return refs


async def _edits(space: Space, folder: ProjectFolder, writing: Writing, parsed: Parsed) -> dict[str, str]:
    """Which artifact each mentioned agent is asked to change, and which path to make."""
    edits: dict[str, str] = {}
    for wish in edit_wishes(writing.text, parsed):
        reference = wish.reference
        artifact = await _artifact(space, folder, reference.target)
        if artifact is not None:
            if wish.changes:
                edits.setdefault(wish.name, artifact.id)
        elif wish.makes and reference.version is None and reference.piece is None:
            path = _new(space, folder, reference.target)
            if path is not None:
                edits.setdefault(wish.name, path)
    return edits


def _new(space: Space, folder: ProjectFolder, target: str) -> str | None:
    """The path of a file that can be made; None when it does not look like one, or may not be one."""
    if "." not in target.strip(".") and "/" not in target:
        return None
    try:
        located = folder.located(space, target)
    except FlowError:
        return None
    return located if located == target else None
