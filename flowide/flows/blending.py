"""Blends: one variation with pieces of others, spliced by code, with the lineage of every piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from flowide.domain import rows
from flowide.domain.commands import AddVariation
from flowide.errors import BadInput
from flowide.flows.contents import inline_or_blob
from flowide.space.api import Space
from flowide.space.queries import OneVariationSet, SetView, VariationText


class Blended(Struct, frozen=True):
    """A blend that was added to its set."""

    number: int
    text: str
    warnings: list[str]


class Preview(Struct, frozen=True):
    """What a blend would be."""

    text: str
    warnings: list[str]
    lineage: dict[str, Any]
    parents: list[dict[str, Any]]


async def preview(space: Space, view: SetView, base: int, takes: Sequence[tuple[int, str]]) -> Preview:
    """Splice without keeping the result.

    Raises:
        Rejected: The pieces do not fit; the reason says why.
        NotFound: No such variation or piece.
    """
    from flowide.pieces import blend_lineage, language_of, splice
    from flowide.pieces.model import Take

    if not takes:
        raise BadInput(
            "a blend needs at least one piece of another variation", hint="Name one: 2:Class.method"
        )
    language = language_of(view.set.path or "")
    if language is None:
        raise BadInput(
            f"pieces of {view.set.path or 'this text'} are not known",
            hint="Python, TypeScript, JavaScript, Go, Rust, Java and Markdown can be blended.",
        )
    text = (await space.read(VariationText(view.set.id, base))).encode()
    sources = {
        number: (await space.read(VariationText(view.set.id, number))).encode()
        for number in {number for number, _ in takes}
    }
    asked = [
        Take(source=sources[number], piece=piece, label=f"variation {number}") for number, piece in takes
    ]
    spliced = splice(text, asked, language)
    by_number = {each.variation.number: each.variation for each in view.variations}
    lineage = blend_lineage(
        text,
        _origins(by_number.get(base)),
        asked,
        [_origins(by_number.get(number)) or None for number, _ in takes],
        spliced,
        language,
    )
    return Preview(
        spliced.source.decode(),
        spliced.warnings,
        {name: msgspec.to_builtins(origin) for name, origin in lineage.items()},
        [{"variation": base}, *({"variation": number, "piece": piece} for number, piece in takes)],
    )


def _origins(row: rows.Variation | None) -> dict[str, Any]:
    from flowide.pieces import Origin

    if row is None:
        return {}
    return {name: msgspec.convert(origin, Origin) for name, origin in row.lineage.items()}


async def blend(
    space: Space,
    set: str,
    base: int,
    takes: Sequence[tuple[int, str]],
    *,
    run: str | None = None,
    step: str | None = None,
) -> Blended:
    """Add a blend to a set; asking again within the same step gives the same one."""
    view = await space.read(OneVariationSet(set))
    made = await preview(space, view, base, takes)
    number = next(
        (
            each.variation.number
            for each in view.variations
            if run is not None and (each.variation.run, each.variation.step) == (run, step)
        ),
        None,
    )
    if number is None:
        text, blob = await inline_or_blob(space, made.text)
        added = await space.execute(
            AddVariation(
                set=view.set.id,
                round=view.set.round or 1,
                origin="blend",
                run=run,
                step=step,
                parents=made.parents,
                lineage=made.lineage,
                text=text,
                blob=blob,
            )
        )
        number = added.ok.number
    return Blended(number, made.text, made.warnings)


async def pieces_of(space: Space, view: SetView) -> dict[int, dict[str, bytes]]:
    """Names and texts of the pieces of every variation, by number."""
    from flowide.pieces import language_of, list_pieces

    language = language_of(view.set.path or "")
    found: dict[int, dict[str, bytes]] = {}
    for each in view.variations:
        number = each.variation.number
        text = (await space.read(VariationText(view.set.id, number))).encode()
        found[number] = (
            {} if language is None else {p.name: text[p.start : p.end] for p in list_pieces(text, language)}
        )
    return found
