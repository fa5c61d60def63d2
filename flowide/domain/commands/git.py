"""Saying that a version is in git."""

from __future__ import annotations

from flowide.domain.commands.base import Command, Done


class RecordCommit(Command[Done], frozen=True, kw_only=True, tag="artifact.commit"):
    """Record the git commit that holds a version; a later one of the same version replaces it."""

    artifact: str
    version: int
    commit: str
    """Full object name, 40 or 64 hex digits."""
    ref: str
    """The branch it went to, e.g. `refs/heads/main`; `HEAD` when none was checked out."""
