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
    """Offset after the last byte."""
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


class Change(Struct, frozen=True, kw_only=True):
    """What a splice did with one taken piece or import."""

    piece: str
    action: Literal["replaced", "inserted", "unchanged", "import_added"]
    label: str
    start: int
    """Byte range in the result."""
    end: int


class Spliced(Struct, frozen=True, kw_only=True):
    """The result of a splice: it parses, and everything outside `changes` is the base's bytes."""

    source: bytes
    changes: list[Change]
    warnings: list[str]
    """For people: helpers the pieces use that the result lacks, imports that could not be carried."""
