"""Where each piece of a blend comes from; it survives blending blends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from msgspec import Struct

from flowide.pieces.listing import list_pieces
from flowide.pieces.model import Change, Language, Piece, Spliced, Take


class Origin(Struct, frozen=True, kw_only=True):
    """The first source of a piece."""

    label: str
    """Where it comes from, for people: a path, `variation 2`."""
    piece: str
    """Its name there."""
    sha256: str
    """Of the piece's bytes there, in hex."""
    artifact: str | None = None
    version: int | None = None
    variation: str | None = None
    """Id of the variation; None when it does not come from one."""


Lineage = dict[str, Origin]
"""Origin of every piece of a text, by name."""


def first_lineage(
    source: bytes,
    language: Language,
    *,
    label: str,
    artifact: str | None = None,
    version: int | None = None,
    variation: str | None = None,
) -> Lineage:
    """The lineage of a text that was written in one go."""
    return {
        piece.name: Origin(
            label=label,
            piece=piece.name,
            sha256=_digest(source, piece),
            artifact=artifact,
            version=version,
            variation=variation,
        )
        for piece in list_pieces(source, language)
    }


def blend_lineage(
    base: bytes,
    base_lineage: Mapping[str, Origin],
    takes: Sequence[Take],
    take_lineages: Sequence[Mapping[str, Origin] | None],
    spliced: Spliced,
    language: Language,
) -> Lineage:
    """The lineage of a blend: untouched pieces keep the base's origins, taken ones bring theirs.

    `take_lineages` goes with `takes`; None stands for a source that was written in one go. A piece whose members
    changed keeps its own origin: what changed is told by the members.
    """
    given = list_pieces(base, language)
    found = list_pieces(spliced.source, language)
    taken = [change for change in spliced.changes if change.take >= 0 and change.action != "unchanged"]
    replaced = [(change.base_start, change.base_end) for change in taken if change.action == "replaced"]
    kept = [piece for piece in given if not _within(piece, replaced)]
    brought: Lineage = {}
    for change in taken:
        brought |= _brought(change, found, takes[change.take], take_lineages[change.take], language)
    imported = [(change.start, change.end) for change in spliced.changes if change.action == "import_added"]
    rest = [piece for piece in found if piece.name not in brought and not _within(piece, imported)]
    lineage = dict(brought)
    if len(rest) == len(kept):
        # Everything outside the changes is the base's bytes, so the pieces left are the base's, in its order.
        for after, before in zip(rest, kept, strict=True):
            origin = base_lineage.get(before.name)
            if origin is not None:
                lineage[after.name] = origin
    else:
        for piece in rest:
            origin = base_lineage.get(piece.name)
            if origin is not None:
                lineage[piece.name] = origin
    return {piece.name: lineage[piece.name] for piece in found if piece.name in lineage}


def _brought(
    change: Change,
    found: Sequence[Piece],
    take: Take,
    lineage: Mapping[str, Origin] | None,
    language: Language,
) -> Lineage:
    known = lineage if lineage is not None else first_lineage(take.source, language, label=take.label)
    theirs = _tree(list_pieces(take.source, language), change.piece)
    ours = _tree(found, change.target)
    return {
        mine.name: known[other.name] for mine, other in zip(ours, theirs, strict=False) if other.name in known
    }


def _tree(pieces: Sequence[Piece], name: str) -> list[Piece]:
    """A piece and everything inside it."""
    root = next((piece for piece in pieces if piece.name == name), None)
    if root is None:
        return []
    return [piece for piece in pieces if root.start <= piece.start and piece.end <= root.end]


def _within(piece: Piece, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(start <= piece.start and piece.end <= end for start, end in ranges)


def _digest(source: bytes, piece: Piece) -> str:
    return sha256(source[piece.start : piece.end]).hexdigest()
