"""The versions of an artifact: read, compared, restored; and where each piece of one comes from."""

from __future__ import annotations

import asyncio

from msgspec import Struct

from flowide.domain import rows
from flowide.errors import NotFound
from flowide.project.blame import Blame, blame
from flowide.space import queries as q
from flowide.tui.engine import editing
from flowide.tui.engine.session import Session
from flowide.tui.highlight import Highlighter, language_of
from flowide.tui.views.diff import Compared, compared, line_origins
from flowide.tui.views.history import LOOSE, innermost, what
from flowide.tui.views.spans import lines_of


class Past(Struct, frozen=True):
    """An artifact with all its versions."""

    artifact: rows.Artifact
    versions: tuple[rows.Version, ...]
    """Newest first."""
    commits: dict[int, str]
    """Git commits by version."""

    def version(self, number: int) -> rows.Version | None:
        """One version."""
        return next((each for each in self.versions if each.version == number), None)


class Pair(Struct, frozen=True):
    """Two versions compared, with the colours of both."""

    before: int
    """0 = nothing: what there was before the first version."""
    after: int
    found: Compared | None
    """None = one of them is not text."""
    colours: tuple[Highlighter | None, Highlighter | None] = (None, None)
    texts: tuple[str, str] = ("", "")
    """Both, as they are."""


MOST_VERSIONS = 300
"""Newest versions in which the origin of single lines is looked for."""


class Origins(Struct, frozen=True):
    """A version with the origin of each of its lines."""

    version: int
    lines: tuple[str, ...]
    """As they are drawn; empty when it is not text."""
    colours: Highlighter | None
    since: tuple[Blame, ...] = ()
    """For each line: what it came with. That is its piece, where the line is as new as that."""
    around: tuple[Blame | None, ...] = ()
    """For each line: the innermost piece it is in."""
    text: str = ""
    """As it is."""


async def read_past(session: Session, ref: str) -> Past:
    """The history of an artifact, by its path or id.

    Raises:
        NotFound: Nobody has touched this file through FlowIDE.
    """
    artifact = await session.space.read(q.FindArtifact(ref))
    versions = await session.space.read(q.History(artifact.id))
    commits = {each.version: each.commit for each in await session.space.read(q.Commits(artifact.id))}
    return Past(artifact, tuple(reversed(versions)), commits)


async def text_of(session: Session, artifact: str, version: int) -> str | None:
    """The text of a version; None when it is not text; empty for version 0."""
    if version == 0:
        return ""
    known = session.texts.get((artifact, version))
    if known is not None:
        return known
    try:
        text = (await session.space.read(q.Content(artifact, version))).decode()
    except UnicodeDecodeError:
        return None
    session.texts[artifact, version] = text
    return text


async def compare(session: Session, artifact: rows.Artifact, before: int, after: int) -> Pair:
    """Two versions beside each other."""
    old = await text_of(session, artifact.id, before)
    new = await text_of(session, artifact.id, after)
    if old is None or new is None:
        return Pair(before, after, None)
    return await asyncio.to_thread(_compare, artifact.path, before, after, old, new)


def _compare(path: str, before: int, after: int, old: str, new: str) -> Pair:
    found = compared(old, new)
    language = language_of(path)
    colours = Highlighter(found.before, language), Highlighter(found.after, language)
    return Pair(before, after, found, colours, (old, new))


async def origins(session: Session, artifact: rows.Artifact, version: int) -> Origins:
    """Where the pieces of a version come from."""
    pieces = tuple(each for each in await blame(session.space, artifact, version) if each.kind != "file")
    text = await text_of(session, artifact.id, version)
    if text is None:
        return Origins(version, (), None)
    lines = lines_of(text)
    history = [each for each in await session.space.read(q.History(artifact.id)) if each.version <= version]
    past = [(each, await text_of(session, artifact.id, each.version)) for each in history[-MOST_VERSIONS:]]
    since = await asyncio.to_thread(line_origins, [text or "" for _, text in past])
    colours = await asyncio.to_thread(Highlighter, lines, language_of(artifact.path))
    around = innermost(len(lines), pieces)
    of_version = {each.version: _of_lines(each) for each, _ in past}
    found = [
        piece
        if piece is not None and piece.version == past[at][0].version
        else of_version[past[at][0].version]
        for at, piece in zip(since, around, strict=True)
    ]
    return Origins(version, tuple(lines), colours, tuple(found), tuple(around), text)


def _of_lines(version: rows.Version) -> Blame:
    """Origin of lines that came with a version, in whatever piece they are now."""
    return Blame(
        piece=LOOSE,
        kind="lines",
        start_line=0,
        end_line=0,
        version=version.version,
        ts=version.ts,
        actor=version.actor,
        actor_kind=version.kind,
        saved_by=version.actor,
        model=version.model,
        run=version.run,
        set=None,
        variation=None,
        source=what(version),
        for_=version.for_,
    )


async def restore(session: Session, artifact: rows.Artifact, version: int) -> int:
    """Make the newest version have the text of an older one, under the lock; the number of the new version.

    Raises:
        Busy: Somebody else holds the lock.
        Conflict: The file changed underneath.
    """
    if artifact.id in session.holds:
        raise NotFound(
            f"{artifact.path} is being edited here", hint="Save it or stop editing first, then restore."
        )
    hold = await editing.take(session, artifact, f"restoring version {version}")
    done = False
    try:
        made = await session.folder.restore(
            session.space,
            hold.artifact,
            fence=hold.fence,
            base=hold.base,
            version=version,
            note=f"restore version {version}",
        )
        done = True
    finally:
        if done:
            session.holds.pop(artifact.id, None)
            await hold.keeper.__aexit__(None, None, None)
        else:
            await editing.release(session, artifact.id, drop=True)
    return made.version
