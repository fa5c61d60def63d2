"""Tools that put pieces of texts into others, by code."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from flowide.errors import BadInput
from flowide.mcp_server.session import Session
from flowide.mcp_server.tool import Arguments, Note, Path, Result, Tool, Version
from flowide.mcp_server.tools.reading import difference, language
from flowide.pieces.model import Take
from flowide.space.queries import Content, OneVariationSet, VariationText


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A piece and where it is taken from: an artifact, or a variation of a set."""

    piece: Annotated[str, Meta(description="As list_pieces names it.", min_length=1, max_length=1000)]
    path: Path | None = None
    version: Version | None = None
    set: Annotated[str, Meta(description="Of variations: id, start of it, or last.")] | None = None
    variation: Annotated[int, Meta(ge=0)] | None = None
    as_name: (
        Annotated[str, Meta(description="Name it gets; replaces the piece of that name.", max_length=1000)]
        | None
    ) = None


class Splice(Arguments, frozen=True):
    path: Path
    takes: Annotated[list[Source], Meta(description="Pieces to put in.", min_length=1, max_length=50)]
    note: Note = ""
    save: Annotated[
        bool, Meta(description="Make it a version at once; by default it becomes your draft.")
    ] = False
    dry_run: Annotated[bool, Meta(description="Only show what would change; needs no lock.")] = False


async def splice(session: Session, asked: Splice) -> Result:
    from flowide.pieces.splicing import splice as put_in

    row = await (session.look(asked.path) if asked.dry_run else _known(session, asked.path))
    artifact = row[0]
    async with session.holds.turn(artifact.id):
        hold = session.holds.get(artifact.id) if asked.dry_run else session.holds.need(artifact)
        base = artifact.version if hold is None else hold.base
        if hold is not None and hold.draft is not None:
            before = hold.draft.encode()
        else:
            before = await session.space.read(Content(artifact.id, base))
        takes = [await _take(session, each) for each in asked.takes]
        spliced = put_in(before, takes, language(artifact.path))
        told = difference(before, spliced.source, f"{artifact.path}@{base}", f"{artifact.path}@spliced")
        told |= {
            "pieces": [
                {key: change[key] for key in ("piece", "action", "label", "target")}
                for change in msgspec.to_builtins(spliced.changes)
            ],
            "warnings": spliced.warnings,
        }
        if asked.dry_run or hold is None:
            return told
        if not asked.save:
            await session.holds.write(hold, spliced.source.decode())
            return told | {"next": "It is your draft. Call save without text to make it a version."}
        made = await session.folder.save(
            session.space, artifact, fence=hold.fence, base=hold.base, data=spliced.source, note=asked.note
        )
        await session.holds.saved(hold, made)
        return told | {"version": made.version, "lock": "released"}


async def _known(session: Session, path: str) -> tuple[Any, list[str]]:
    return await session.known(path), []


async def _take(session: Session, source: Source) -> Take:
    if source.set is not None and source.variation is not None and source.path is None:
        view = await session.space.read(OneVariationSet(source.set))
        text = await session.space.read(VariationText(view.set.id, source.variation))
        label, data = f"variation {source.variation}", text.encode()
    elif source.path is not None and source.set is None and source.variation is None:
        row, _ = await session.look(source.path)
        label = f"{row.path}@{source.version or row.version}"
        data = await session.space.read(Content(row.id, source.version))
    else:
        raise BadInput(
            f"where is the piece {source.piece} taken from?",
            hint="Give path (and version), or set and variation, for each of the takes.",
        )
    return Take(source=data, piece=source.piece, label=label, as_name=source.as_name)


TOOLS: list[Tool[Any]] = [
    Tool(
        "splice",
        "Put pieces (functions, classes, sections) of other artifacts or variations into an artifact whose lock you"
        " hold. It is done by code: bodies stay byte for byte, imports come along, and a result that would not"
        " parse is refused.",
        Splice,
        splice,
    ),
]
