"""The values that listing, taking and splicing pieces speak in. Offsets are bytes, lines count from 1."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Language = Literal["python", "typescript", "tsx", "javascript", "go", "rust", "java", "markdown"]


class Piece(Struct, frozen=True, kw_only=True):
    """A symbol (`LRUCache.get`) or a Markdown section (`Install/From source`)."""

    name: str
    """Qualified name, unique in its file: a second `f` is `f#2`."""
    kind: str
    """function, method, class, interface, type, constant, impl, section …"""
    start: int
    """Offset of the first byte, decorators and attached comments included."""
    end: int
    """Offset after the last byte; the line break that follows is not part of the piece."""
    start_line: int
    end_line: int
    parent: str | None = None
    """Name of the enclosing piece; None at the top level."""


class Take(Struct, frozen=True, kw_only=True):
    """One piece to be taken out of a source."""

    source: bytes
    piece: str
    label: str = ""
    """Where it comes from, for messages and provenance: a path, or `variation 2`."""
    as_name: str | None = None
    """Qualified name it gets in the base, replacing that symbol if there is one; None keeps its own name."""


class Change(Struct, frozen=True, kw_only=True):
    """What a splice did with one taken piece or import.

    Put `base[base_start:base_end]` back in the place of every `source[start:end]` and the base is whole again.
    """

    piece: str
    """Name in its source; for an import what was imported."""
    action: Literal["replaced", "inserted", "unchanged", "import_added"]
    label: str
    start: int
    """Byte range in the result, with the blank lines that an insertion brought."""
    end: int
    base_start: int
    """Byte range of the base that gave way; empty for a pure insertion."""
    base_end: int
    target: str = ""
    """Name in the result; empty for an import."""
    take: int = -1
    """Index of the take; -1 for an import."""


class Spliced(Struct, frozen=True, kw_only=True):
    """The result of a splice: it parses, and everything outside `changes` is the base's bytes."""

    source: bytes
    changes: list[Change]
    """In the order of the result."""
    warnings: list[str]
    """For people: helpers the pieces use that the result lacks, imports that could not be carried."""
