"""Tools of variations: look, compare, add, note, short-list, blend, accept."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from flowide.domain.commands import AddVariation, Command, NoteVariation, OpenVariationSet, ShortlistVariation
from flowide.domain.ids import uuid7
from flowide.errors import BadInput, NotFound
from flowide.mcp_server.session import Session
from flowide.mcp_server.tool import Arguments, Note, Result, Text, Tool, Version, Wait
from flowide.mcp_server.tools.reading import MAX_CHARS, difference, language
from flowide.space.queries import (
    FindArtifact,
    OneVariationSet,
    SetView,
    VariationSets,
    VariationText,
    VariationView,
)

Set = Annotated[
    str, Meta(description="Id of the set, the start of it, or last.", min_length=1, max_length=200)
]
Number = Annotated[int, Meta(description="Number of a variation.", ge=1, le=100_000)]
Numbers = Annotated[list[Number], Meta(min_length=1, max_length=50)]


async def _view(session: Session, ref: str, *numbers: int) -> SetView:
    """The set, which has these variations; 0 is what it starts from."""
    view = await session.space.read(OneVariationSet(ref))
    have = [each.variation.number for each in view.variations]
    for number in numbers:
        if number and number not in have:
            raise NotFound(
                f"there is no variation {number} in this set",
                hint=f"There are {', '.join(map(str, have)) or 'none'}.",
                set=view.set.id,
            )
    return view


class ListVariations(Arguments, frozen=True):
    set: (
        Annotated[str, Meta(description="One set; by default all sets are listed.", max_length=200)] | None
    ) = None


async def list_variations(session: Session, asked: ListVariations) -> Result:
    if asked.set is None:
        return {
            "sets": [
                {
                    "set": each.id,
                    "title": each.title,
                    "path": each.path,
                    "base": each.base,
                    "variations": each.count,
                    "rounds": each.round,
                    "brief": each.brief[:500],
                    "by": each.actor,
                }
                for each in await session.space.read(VariationSets())
            ]
        }
    view = await _view(session, asked.set)
    return {
        "set": view.set.id,
        "title": view.set.title,
        "path": view.set.path,
        "base": view.set.base,
        "brief": view.set.brief,
        "variations": [_described(each) for each in view.variations],
    }


def _described(view: VariationView) -> Result:
    row: dict[str, Any] = msgspec.to_builtins(view.variation)
    keys = (
        "number",
        "round",
        "origin",
        "size",
        "model",
        "tags",
        "shortlisted",
        "rejected",
        "notes",
        "accepted",
    )
    checks = [
        {"name": each.name, "status": each.status, "metrics": each.metrics, "output": each.output[-500:]}
        for each in view.checks
    ]
    return {key: row[key] for key in keys} | {"by": row["actor"], "parents": row["parents"], "checks": checks}


class ReadVariation(Arguments, frozen=True):
    set: Set
    number: Annotated[int, Meta(description="0 is what the set starts from.", ge=0, le=100_000)]


async def read_variation(session: Session, asked: ReadVariation) -> Result:
    view = await _view(session, asked.set, asked.number)
    text = await session.space.read(VariationText(view.set.id, asked.number))
    found = next((each for each in view.variations if each.variation.number == asked.number), None)
    about = {"number": 0} if found is None else _described(found)
    cut = {"cut": f"{len(text)} characters in all"} if len(text) > MAX_CHARS else {}
    return {"set": view.set.id, "path": view.set.path, **about, "text": text[:MAX_CHARS], **cut}


class Compare(Arguments, frozen=True):
    set: Set
    numbers: (
        Annotated[
            list[Annotated[int, Meta(ge=0, le=100_000)]],
            Meta(description="Two give their line difference, others a table by piece; by default all."),
        ]
        | None
    ) = None


async def compare_variations(session: Session, asked: Compare) -> Result:
    from flowide.pieces import compare

    view = await _view(session, asked.set, *(asked.numbers or []))
    numbers = asked.numbers or [each.variation.number for each in view.variations]
    texts = [(await session.space.read(VariationText(view.set.id, number))).encode() for number in numbers]
    path = view.set.path or "text"
    if asked.numbers and len(numbers) == 2:
        return difference(
            texts[0], texts[1], f"{path}@variation-{numbers[0]}", f"{path}@variation-{numbers[1]}"
        )
    table = compare(texts, language(path))
    return {
        "numbers": numbers,
        "pieces": [{"name": row.name, "kind": row.kind, "groups": row.groups} for row in table],
        "reading": "Variations with the same number in `groups` have the same text there; null lacks the piece.",
    }


class Add(Arguments, frozen=True):
    text: Annotated[Text, Meta(description="The whole text of the variation.")]
    set: Annotated[str, Meta(description="By default a new set is opened.", max_length=200)] | None = None
    path: (
        Annotated[
            str,
            Meta(description="What a new set varies: an artifact, or a file to be made.", max_length=4096),
        ]
        | None
    ) = None
    title: Annotated[str, Meta(description="Of a new set.", max_length=300)] | None = None
    brief: Annotated[str, Meta(description="What is wanted, for a new set.", max_length=16000)] = ""
    note: Annotated[str, Meta(description="What is special about it.", max_length=4000)] | None = None


async def add_variation(session: Session, asked: Add) -> Result:
    from flowide.flows.contents import inline_or_blob

    opening: list[Command[Any]] = []
    if asked.set is not None:
        if asked.path or asked.title or asked.brief:
            raise BadInput("set names one that is there", hint="Leave out path, title and brief, or set.")
        view = await _view(session, asked.set)
        set_id, round_ = view.set.id, view.set.round or 1
    else:
        set_id, round_ = uuid7(), 1
        opening = [await _opened(session, set_id, asked)]
    try:
        text, blob = await inline_or_blob(session.space, asked.text)
    except UnicodeEncodeError:
        raise BadInput("the text is not valid Unicode", hint="Send UTF-8.") from None
    adding = AddVariation(set=set_id, round=round_, text=text, blob=blob)
    [*_, added] = (await session.space.batch([*opening, adding])).ok
    if asked.note:
        await session.space.execute(NoteVariation(set=set_id, number=added.number, text=asked.note))
    return {"set": set_id, "number": added.number, "next": "Add others, or let people compare and choose."}


async def _opened(session: Session, set_id: str, asked: Add) -> OpenVariationSet:
    if asked.path is None:
        title = asked.title or asked.brief[:80]
        if not title:
            raise BadInput("what does the new set vary?", hint="Give path, or a title.")
        return OpenVariationSet(set=set_id, title=title, brief=asked.brief)
    try:
        row = await session.find(asked.path)
    except NotFound:
        path = session.folder.located(session.space, session.path_of(asked.path))
        return OpenVariationSet(set=set_id, title=asked.title or path, brief=asked.brief, path=path)
    return OpenVariationSet(
        set=set_id,
        title=asked.title or row.path,
        brief=asked.brief,
        path=row.path,
        artifact=row.id,
        base=row.version,
    )


class NoteOn(Arguments, frozen=True):
    set: Set
    number: Number
    text: Annotated[str, Meta(min_length=1, max_length=16000)]
    score: Annotated[int, Meta(description="1 (poor) to 10.", ge=1, le=10)] | None = None


async def note_variation(session: Session, asked: NoteOn) -> Result:
    view = await _view(session, asked.set, asked.number)
    await session.space.execute(
        NoteVariation(
            set=view.set.id, number=asked.number, text=asked.text, kind="critique", score=asked.score
        )
    )
    return {"set": view.set.id, "number": asked.number, "noted": True}


class Shortlist(Arguments, frozen=True):
    set: Set
    numbers: Numbers
    on: Annotated[bool, Meta(description="false takes them off.")] = True


async def shortlist_variations(session: Session, asked: Shortlist) -> Result:
    view = await _view(session, asked.set, *asked.numbers)
    await session.space.batch(
        [ShortlistVariation(set=view.set.id, number=number, on=asked.on) for number in asked.numbers]
    )
    view = await _view(session, view.set.id)
    listed = [each.variation.number for each in view.variations if each.variation.shortlisted]
    return {"set": view.set.id, "shortlist": listed}


class Pick(Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of a variation."""

    number: Number
    piece: Annotated[str, Meta(min_length=1, max_length=1000)]


class Blend(Arguments, frozen=True):
    set: Set
    base: Annotated[Number, Meta(description="The variation to start from.")]
    takes: Annotated[
        list[Pick], Meta(description="Pieces of others that it gets.", min_length=1, max_length=50)
    ]
    dry_run: Annotated[bool, Meta(description="Only show the result.")] = False


async def blend_variations(session: Session, asked: Blend) -> Result:
    from flowide.flows import blending

    view = await _view(session, asked.set, asked.base, *(each.number for each in asked.takes))
    takes = [(each.number, each.piece) for each in asked.takes]
    if asked.dry_run:
        made = await blending.preview(session.space, view, asked.base, takes)
        return {"set": view.set.id, "text": made.text[:MAX_CHARS], "warnings": made.warnings}
    blended = await blending.blend(session.space, view.set.id, asked.base, takes)
    return {
        "set": view.set.id,
        "number": blended.number,
        "text": blended.text[:MAX_CHARS],
        "warnings": blended.warnings,
    }


class Accept(Arguments, frozen=True):
    set: Set
    number: Number
    path: Annotated[str, Meta(description="By default that of the set.", max_length=4096)] | None = None
    base: (
        Annotated[
            Version,
            Meta(description="Version it goes on top of; by default the one the set started from."),
        ]
        | None
    ) = None
    note: Note = ""
    wait_s: Wait = 0


async def accept_variation(session: Session, asked: Accept) -> Result:
    from flowide.flows.accepting import accept

    view = await _view(session, asked.set, asked.number)
    path = None if asked.path is None else session.path_of(asked.path)
    target = path or view.set.path
    if target is None:
        raise BadInput("where shall it be saved?", hint="Give path.")
    held = next((each for each in session.holds.all() if each.artifact.path == target), None)
    if held is not None:
        raise BadInput(
            f"you hold the lock of {target} yourself, and accepting takes it",
            hint="Call release first; or save the text of read_variation under your lock.",
            path=target,
        )
    saved = await accept(
        session.space,
        session.folder,
        view.set.id,
        asked.number,
        path=path,
        note=asked.note,
        base=asked.base,
        lock_timeout_s=asked.wait_s,
    )
    row = await session.space.read(FindArtifact(saved.artifact))
    return {"path": row.path, "version": saved.version, "set": view.set.id, "number": asked.number}


TOOLS: list[Tool[Any]] = [
    Tool(
        "list_variations",
        "List the sets of variations, or the variations of one set with their checks, notes and marks.",
        ListVariations,
        list_variations,
        reads=True,
    ),
    Tool(
        "read_variation",
        "Read the text of a variation, and what was said of it.",
        ReadVariation,
        read_variation,
        reads=True,
    ),
    Tool(
        "compare_variations",
        "Compare variations: two by lines, more by piece.",
        Compare,
        compare_variations,
        reads=True,
    ),
    Tool(
        "add_variation",
        "Offer another version of a text without touching the artifact: no lock is needed. Good when somebody else"
        " holds the lock, or when people shall choose among several.",
        Add,
        add_variation,
    ),
    Tool(
        "note_variation",
        "Say what you think of a variation, with a score if you like; people and later rounds read it.",
        NoteOn,
        note_variation,
    ),
    Tool(
        "shortlist_variations",
        "Put variations on the short list, or take them off: the next round builds on exactly those.",
        Shortlist,
        shortlist_variations,
        again=True,
    ),
    Tool(
        "blend_variations",
        "Make a new variation of one base and pieces of others, spliced by code.",
        Blend,
        blend_variations,
    ),
    Tool(
        "accept_variation",
        "Save a variation as the next version of its artifact, under the lock, with its lineage. Do it only when"
        " you were asked to choose.",
        Accept,
        accept_variation,
    ),
]
