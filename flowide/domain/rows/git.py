"""Versions that are in git."""

from __future__ import annotations

from flowide.domain.rows.base import Row


class Commit(Row, frozen=True):
    """The git commit that holds a version."""

    TABLE = "commits"
    KEY = ("artifact", "version")

    artifact: str
    version: int
    path: str
    """Of the artifact, at that version."""
    commit: str
    """Full object name."""
    ref: str
    actor: str
    """Who had it committed."""
    seq: int
    ts: str
