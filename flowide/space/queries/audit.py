"""Questions about the space as a whole: search and verification."""

from __future__ import annotations

from msgspec import Struct

from flowide.space.queries.base import Query


class Hit(Struct, frozen=True):
    """One place where a searched text was found."""

    kind: str
    """`artifact`, `variation` …"""
    ref: str
    title: str
    excerpt: str


class Search(Query[list[Hit]], frozen=True):
    """Full-text search over newest artifact versions and variations; best first."""

    text: str
    limit: int = 50


class Problem(Struct, frozen=True):
    """Something `verify` found wrong."""

    seq: int | None
    """The first event concerned; None for blobs and projections."""
    what: str


class Verify(Query[list[Problem]], frozen=True):
    """Check chain, density, blobs and projections; empty = all is well."""
