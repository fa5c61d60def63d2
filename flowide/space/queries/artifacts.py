"""Questions about artifacts and their versions."""

from __future__ import annotations

from flowide.domain import rows
from flowide.space.queries.base import Query


class Artifacts(Query[list[rows.Artifact]], frozen=True):
    """All artifacts by path; deleted ones only on request."""

    deleted: bool = False


class FindArtifact(Query[rows.Artifact], frozen=True):
    """The artifact with this id or path.

    Raises:
        NotFound: With close paths in its hint.
    """

    ref: str


class ArtifactAt(Query[rows.Artifact | None], frozen=True):
    """The artifact whose path is this one, or differs from it only in case; None when the path is free."""

    path: str


class History(Query[list[rows.Version]], frozen=True):
    """Versions of an artifact, oldest first."""

    artifact: str


class Content(Query[bytes], frozen=True):
    """Bytes of a version of an artifact; version None = the newest."""

    artifact: str
    version: int | None = None
