"""A variation set for the grid: its texts, pieces and alignment; what is said about it; blends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import Struct

from flowide.domain.commands import NoteVariation, RejectVariation, ShortlistVariation, TagVariation
from flowide.errors import FlowError
from flowide.pieces.model import Language, Piece
from flowide.space import queries as q
from flowide.tui.engine.session import Session
from flowide.tui.views.actors import worker_of
from flowide.tui.views.grid import Column, Grid, make_grid, numbered_column, streaming_column
from flowide.tui.views.grid_state import Pick, Preview
from flowide.tui.views.spans import lines_of

Opinion = Callable[[Session], Coroutine[Any, Any, None]]
"""Something said about a variation."""

VARY_KINDS = frozenset({"vary", "more", "repair"})
"""Kinds of steps whose answer becomes a variation."""
MOST_COMPARED = 400_000
"""Characters of an unfinished variation that are put in step with the others."""


class Writing(Struct, frozen=True):
    """A variation that is being written."""

    key: str
    """Of its step."""
    actor: str
    text: str
    done: bool


async def read_grid(session: Session, set_id: str, known: dict[str, Column]) -> Grid:
    """The set as columns in step. `known` keeps finished columns from one reading to the next."""
    seen = await session.space.read(q.OneVariationSet(set_id))
    base = await _text(session, seen.set.id, 0)
    texts = [await _text(session, seen.set.id, each.variation.number) for each in seen.variations]
    writing = await _being_written(session, seen)
    return await asyncio.to_thread(_build, seen, base, texts, writing, known)


async def _text(session: Session, set_id: str, number: int) -> str:
    found = session.texts.get((set_id, number))
    if found is None:
        try:
            found = await session.space.read(q.VariationText(set_id, number))
        except UnicodeDecodeError:
            found = "(not text)"
        session.texts[set_id, number] = found
    return found


async def _being_written(session: Session, seen: q.SetView) -> list[Writing]:
    """Each variation that a running run is writing for this set, or has written and not added yet."""
    found: list[Writing] = []
    added = {(each.variation.run, each.variation.step) for each in seen.variations}
    for run in await session.space.read(q.Runs(12)):
        if run.status != "running" or not _is_about(run.id, run.outputs, run.inputs, seen):
            continue
        view = await session.space.read(q.OneRun(run.id))
        if not view.alive:
            continue
        for step in view.steps:
            if (
                step.kind not in VARY_KINDS
                or "#" not in step.key.rpartition("/")[2]
                or (run.id, step.key) in added
            ):
                continue
            # Variations are added in order, so a finished one may wait for an earlier one. A round is a step too.
            if step.status == "started" or (step.status == "completed" and "reply" in step.result):
                text = await step_text(session, run.id, step.key)
                if not text and step.status == "completed":
                    text = (await session.space.blob(step.result["reply"])).decode(errors="replace")
                found.append(Writing(step.key, worker_of(step), text, done=step.status == "completed"))
    return found


def _is_about(run: str, outputs: dict[str, Any], inputs: dict[str, Any], seen: q.SetView) -> bool:
    return (seen.set.run == run or seen.set.id in {inputs.get("set"), outputs.get("set")}) or any(
        each.variation.run == run for each in seen.variations
    )


async def step_text(session: Session, run: str, key: str) -> str:
    """The beginning of a step's answer so far: our own runs are read from memory, others from the store."""
    mine = session.live.get(run)
    if mine is not None:
        live = mine.get(key)
        return live.text[:MOST_COMPARED] if live is not None else ""
    return (await session.space.read(q.StepText(run, key)))[:MOST_COMPARED]


def _build(
    seen: q.SetView,
    base: str,
    texts: list[str],
    writing: list[Writing],
    known: dict[str, Column],
) -> Grid:
    language = language_of_set(seen.set.path)
    base_lines = lines_of(base)
    columns: list[Column] = []
    for view, text in zip(seen.variations, texts, strict=True):
        key = str(view.variation.number)
        old = known.get(key)
        if old is None:
            old = numbered_column(view, text, base_lines, pieces_of(text, language))
        elif old.view != view:
            from msgspec.structs import replace

            old = replace(old, view=view)
        known[key] = old
        columns.append(old)
    columns += [
        streaming_column(each.key, each.actor, unfenced(each.text), base_lines, done=each.done)
        for each in writing
    ]
    return make_grid(seen.set, base, columns, language, _same_pieces(columns, language))


def language_of_set(path: str | None) -> Language | None:
    """The language of a set's texts, by the path an accepted one goes to."""
    from flowide.pieces import language_of  # loads the grammars

    return None if path is None else language_of(path)


def pieces_of(text: str, language: Language | None) -> list[Piece]:
    """The pieces of a text; none when it does not parse."""
    if language is None or not text:
        return []
    from flowide.pieces import list_pieces

    try:
        return list_pieces(text.encode(), language)
    except FlowError:
        return []


def _same_pieces(columns: list[Column], language: Language | None) -> dict[str, tuple[int | None, ...]]:
    finished = [column for column in columns if not column.streaming]
    if language is None or not finished:
        return {}
    from flowide.pieces import compare

    try:
        table = compare([column.text.encode() for column in finished], language)
    except FlowError:
        return {}
    writing = (None,) * (len(columns) - len(finished))
    return {row.name: (*row.groups, *writing) for row in table}


def unfenced(text: str) -> str:
    """A streamed answer without the fence line it may start with and the prose before it."""
    start = text.find("```")
    if start < 0:
        return text
    body = text[start:].partition("\n")[2]
    end = body.find("\n```")
    return body if end < 0 else body[:end]


async def preview(
    session: Session, set_id: str, path: str | None, base: int, picks: tuple[Pick, ...]
) -> Preview:
    """What a blend would be, spliced as it will be, without storing anything."""
    language = language_of_set(path)
    if language is None:
        return Preview(base, picks, None, refused="pieces of this kind of file are unknown")
    source = await _text(session, set_id, base)
    takes = [(pick, await _text(session, set_id, pick.number)) for pick in picks]
    return await asyncio.to_thread(_splice, language, base, source, takes)


def _splice(language: Language, base: int, source: str, takes: list[tuple[Pick, str]]) -> Preview:
    from flowide.pieces import Take, splice

    picks = tuple(pick for pick, _ in takes)
    try:
        made = splice(
            source.encode(),
            [
                Take(source=text.encode(), piece=pick.piece, label=f"variation {pick.number}")
                for pick, text in takes
            ],
            language,
        )
    except FlowError as error:
        return Preview(base, picks, None, refused=error.message)
    return Preview(base, picks, made.source.decode(), warnings=tuple(made.warnings))


async def shortlist(session: Session, set_id: str, number: int, on: bool) -> None:
    """Put a variation on the short list, or take it off."""
    await session.space.execute(ShortlistVariation(set=set_id, number=number, on=on))


async def reject(session: Session, set_id: str, number: int, on: bool) -> None:
    """Set a variation aside, or take it back in."""
    await session.space.execute(RejectVariation(set=set_id, number=number, on=on))


async def note(session: Session, set_id: str, number: int, text: str) -> None:
    """Say something about a variation; the next round is told."""
    await session.space.execute(NoteVariation(set=set_id, number=number, text=text))


async def tag(session: Session, set_id: str, number: int, add: list[str], remove: list[str]) -> None:
    """Put words on a variation, and take words off."""
    await session.space.execute(TagVariation(set=set_id, number=number, add=add, remove=remove))
