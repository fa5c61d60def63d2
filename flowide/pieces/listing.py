"""Listing the pieces of a source, and taking one out of it."""

from __future__ import annotations

from flowide.pieces.model import Language, Piece


def list_pieces(source: bytes, language: Language, *, label: str = "") -> list[Piece]:
    """All pieces in source order; a source with syntax errors lists what can be recognised.

    `label` names the source in messages.

    Raises:
        BadInput: Not UTF-8, NUL bytes, or larger than 16 MiB.
    """
    if language == "markdown":
        from flowide.pieces.sections import Sections  # loads markdown-it only for Markdown

        return Sections(source, label).pieces()
    from flowide.pieces.outline import Outline, as_pieces

    return as_pieces(Outline(source, language, label).items, source)


def take(source: bytes, piece: str, language: Language) -> bytes:
    """The exact bytes of one piece; its first line starts at its first character, not at the margin.

    Raises:
        NotFound: No such piece; the hint names similar ones.
        BadInput: Not UTF-8, NUL bytes, or larger than 16 MiB.
    """
    if language == "markdown":
        from flowide.pieces.sections import Sections

        section = Sections(source).section(piece)
        return source[section.start : section.end]
    from flowide.pieces.outline import Outline

    item = Outline(source, language).item(piece)
    return source[item.start : item.end]
