"""Artifacts and their versions."""

from __future__ import annotations

from typing import Any

from flowide.domain.actors import ActorKind
from flowide.domain.rows.base import Row


class Artifact(Row, frozen=True):
    """A file of the project that people and agents work on."""

    TABLE = "artifacts"
    KEY = ("id",)
    INDEXES = (("path_key",),)

    id: str
    path: str
    """Relative, with forward slashes, NFC."""
    path_key: str
    """The path case-folded: two artifacts may not share it. `!<id>` for a deleted one, whose path is free."""
    kind: str
    """`code`, `document`, `component`, `data` or `binary`."""
    version: int
    sha256: str
    size: int
    """Bytes of the newest version."""
    deleted: bool = False


class Version(Row, frozen=True):
    """One immutable version of an artifact."""

    TABLE = "versions"
    KEY = ("artifact", "version")

    artifact: str
    version: int
    base: int
    """The version it was made from; 0 for the first."""
    path: str
    sha256: str
    size: int
    fence: int
    note: str
    actor: str
    kind: ActorKind
    for_: str | None
    model: str | None
    run: str | None
    step: str | None
    parents: list[dict[str, Any]]
    """Where accepted text came from: `{"set","variation"}` entries, plus `lineage` per piece for a blend."""
    seq: int
    ts: str
