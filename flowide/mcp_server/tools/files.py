"""Tools that make, move and bring back artifacts."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from flowide.errors import BadInput
from flowide.mcp_server.session import Session
from flowide.mcp_server.tool import Arguments, Note, Path, Result, Text, Tool, Version, Wait
from flowide.mcp_server.tools.editing import check_unicode, decoded
from flowide.mcp_server.uris import address
from flowide.space.queries import FindArtifact


class Create(Arguments, frozen=True):
    path: Annotated[
        str, Meta(description="Path in the project, with forward slashes.", min_length=1, max_length=4096)
    ]
    text: Text | None = None
    base64: Annotated[Text, Meta(description="The content, for what is no text.")] | None = None
    note: Note = ""


async def create(session: Session, asked: Create) -> Result:
    if (asked.text is None) == (asked.base64 is None):
        raise BadInput("give either text or base64", hint='For an empty file: text="".')
    check_unicode(asked.text or "")
    data = decoded(asked.base64) if asked.base64 is not None else (asked.text or "").encode()
    path = session.path_of(asked.path)
    made = await session.folder.create(session.space, path, data, note=asked.note)
    return {"path": path, "uri": address(path), "version": made.version, "bytes": len(data)}


class Move(Arguments, frozen=True):
    path: Path
    new_path: Annotated[str, Meta(min_length=1, max_length=4096)]
    note: Note = ""
    wait_s: Wait = 0


async def move(session: Session, asked: Move) -> Result:
    row = await session.find(asked.path)
    target = session.path_of(asked.new_path)
    async with session.holds.change(row, wait_s=asked.wait_s, purpose="move") as (hold, mine):
        made = await session.folder.move(
            session.space,
            row,
            target,
            fence=hold.fence,
            base=hold.base,
            note=asked.note,
            then="keep" if mine else "release",
        )
        await session.holds.saved(hold, made)
        hold.artifact = await session.space.read(FindArtifact(row.id))
    return {"path": target, "uri": address(target), "was": row.path, "version": made.version}


class Restore(Arguments, frozen=True):
    path: Path
    version: Annotated[Version, Meta(description="The version whose content comes back.")]
    note: Note = ""
    wait_s: Wait = 0


async def restore(session: Session, asked: Restore) -> Result:
    row, _ = await session.look(asked.path)
    async with session.holds.change(row, wait_s=asked.wait_s, purpose="restore") as (hold, mine):
        made = await session.folder.restore(
            session.space,
            row,
            fence=hold.fence,
            base=hold.base,
            version=asked.version,
            note=asked.note or f"restore version {asked.version}",
            then="keep" if mine else "release",
        )
        await session.holds.saved(hold, made)
    return {"path": row.path, "version": made.version, "content_of": asked.version}


TOOLS: list[Tool[Any]] = [
    Tool(
        "create",
        "Make a new artifact and its file. To change one that exists: lock and save.",
        Create,
        create,
    ),
    Tool(
        "move",
        "Give an artifact and its file another path. Takes the lock for it, unless you hold it.",
        Move,
        move,
    ),
    Tool(
        "restore",
        "Make a new version with the content of an older one; also brings a deleted artifact back. Takes the lock"
        " for it, unless you hold it. Nothing is rewritten: undo is one more version.",
        Restore,
        restore,
    ),
]
