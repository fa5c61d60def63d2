"""Questions about the space as a whole: search and verification."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from flowide.space.queries.base import Query


class Hit(Struct, frozen=True):
    """One place where a searched text was found."""

    kind: str
    """`artifact` (its newest version), `version` (an older one), `variation`, `message` or `decision`."""
    ref: str
    """Id of the artifact or decision, `<artifact>@<version>`, `<set>/<number>` or `<thread>/<number>`."""
    title: str
    excerpt: str


class Search(Query[list[Hit]], frozen=True):
    """Full-text search over artifacts, variations, messages and decisions; best first."""

    text: str
    limit: int = 50
    history: bool = False
    """Find older versions too."""


class Problem(Struct, frozen=True):
    """Something `verify` found wrong."""

    seq: int | None
    """The event concerned; None where it cannot be told."""
    what: str
    where: Literal["log", "content", "table", "live", "file"]
    """The log itself, contents by their SHA-256, tables that follow from the log, text being written, or the rest."""


class Verify(Query[list[Problem]], frozen=True):
    """Check chain, density, blobs and projections; empty = all is well."""
