"""Several sources side by side, piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from flowide.pieces.listing import list_pieces
from flowide.pieces.model import Language, Piece


class Row(Struct, frozen=True, kw_only=True):
    """One piece across all sources."""

    name: str
    kind: str
    parent: str | None
    """Name of the enclosing piece, in the first source that has the piece."""
    groups: list[int | None]
    """Per source: sources with the same number have the same text; 0 is the first one's, None lacks the piece."""
    hashes: list[str | None]
    """Per source: SHA-256 in hex of the text without its indentation; None where it is missing."""
    state: Literal["same", "different"]
    """Whether all sources that have the piece agree on it."""


def compare(sources: Sequence[bytes], language: Language) -> list[Row]:
    """A table of pieces by sources, in source order; pieces that only later sources have stand where they belong.

    Texts that differ only in their indentation as a whole, or in line breaks, are the same.
    """
    columns = [{piece.name: piece for piece in list_pieces(source, language)} for source in sources]
    order: list[str] = []
    known: set[str] = set()
    for column in columns:
        at = 0
        for name in column:
            if name in known:
                at = order.index(name) + 1
            else:
                order.insert(at, name)
                known.add(name)
                at += 1
    return [_row(name, sources, columns) for name in order]


def _row(name: str, sources: Sequence[bytes], columns: Sequence[dict[str, Piece]]) -> Row:
    hashes: list[str | None] = []
    for source, column in zip(sources, columns, strict=True):
        piece = column.get(name)
        hashes.append(_digest(source, piece) if piece is not None else None)
    distinct = list(dict.fromkeys(digest for digest in hashes if digest is not None))
    first = next(column[name] for column in columns if name in column)
    return Row(
        name=name,
        kind=first.kind,
        parent=first.parent,
        groups=[None if digest is None else distinct.index(digest) for digest in hashes],
        hashes=hashes,
        state="same" if len(distinct) == 1 else "different",
    )


def _digest(source: bytes, piece: Piece) -> str:
    line = source.rfind(b"\n", 0, piece.start) + 1
    indent = source[line : piece.start]
    text = source[piece.start : piece.end].replace(b"\r\n", b"\n")
    if indent and not indent.strip():
        text = text.replace(b"\n" + indent, b"\n")
    return sha256(text).hexdigest()
