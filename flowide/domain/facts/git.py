"""Versions that are in git."""

from __future__ import annotations

from flowide.domain.facts.base import Fact


class ArtifactCommitted(Fact, frozen=True, kw_only=True, tag="artifact.committed"):
    """A version was committed to the project's git repository."""

    artifact: str
    path: str
    version: int
    commit: str
    ref: str
