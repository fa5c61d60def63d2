"""Pieces: the symbols of a source file or the sections of a document, listed, taken and spliced exactly.

The names below load their modules on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowide.pieces.languages import language_of
    from flowide.pieces.listing import list_pieces, take
    from flowide.pieces.model import Change, Language, Piece, Spliced, Take
    from flowide.pieces.provenance import Lineage, Origin, blend_lineage, first_lineage
    from flowide.pieces.splicing import splice
    from flowide.pieces.table import Row, compare

_HOMES = {
    "language_of": "languages",
    "list_pieces": "listing",
    "take": "listing",
    "Change": "model",
    "Language": "model",
    "Piece": "model",
    "Spliced": "model",
    "Take": "model",
    "Lineage": "provenance",
    "Origin": "provenance",
    "blend_lineage": "provenance",
    "first_lineage": "provenance",
    "splice": "splicing",
    "Row": "table",
    "compare": "table",
}

__all__ = [
    "Change",
    "Language",
    "Lineage",
    "Origin",
    "Piece",
    "Row",
    "Spliced",
    "Take",
    "blend_lineage",
    "compare",
    "first_lineage",
    "language_of",
    "list_pieces",
    "splice",
    "take",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
