"""What happens to artifacts."""

from __future__ import annotations

from typing import Any

from flowide.domain.facts.base import Fact


class Saved(Fact, frozen=True, kw_only=True):
    """Fields shared by everything that makes a version."""

    artifact: str
    path: str
    version: int
    base: int
    sha256: str
    size: int
    fence: int
    note: str = ""
    model: str | None = None
    run: str | None = None
    step: str | None = None
    parents: list[dict[str, Any]] = []


class ArtifactCreated(Saved, frozen=True, kw_only=True, tag="artifact.created"):
    """An artifact came to be, with version 1."""

    kind: str


class ArtifactSaved(Saved, frozen=True, kw_only=True, tag="artifact.saved"):
    """A new version."""


class ArtifactMoved(Saved, frozen=True, kw_only=True, tag="artifact.moved"):
    """A new version with the same bytes under another path."""

    old_path: str


class ArtifactDeleted(Saved, frozen=True, kw_only=True, tag="artifact.deleted"):
    """The artifact is gone from the folder; its versions stay."""


class ArtifactRestored(Saved, frozen=True, kw_only=True, tag="artifact.restored"):
    """A new version with the bytes of an older one; also brings back a deleted artifact."""

    from_version: int
