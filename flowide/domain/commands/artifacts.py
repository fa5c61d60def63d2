"""Commands that make versions of artifacts."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from flowide.domain.commands.base import DEFAULT_TTL_MS, Command
from flowide.domain.ids import uuid7


class Provenance(Struct, frozen=True):
    """Where a saved text comes from, beyond its author."""

    model: str | None = None
    run: str | None = None
    step: str | None = None
    parents: list[dict[str, Any]] = []


class Versioned(Struct, frozen=True):
    """The answer of every command that makes a version."""

    artifact: str
    version: int
    sha256: str
    fence: int | None = None
    """The sender's fence when it holds the lock afterwards."""


class CreateArtifact(Command[Versioned], frozen=True, kw_only=True, tag="artifact.create"):
    """Make an artifact with version 1."""

    id: str = field(default_factory=uuid7)
    path: str
    kind: str = "code"
    text: str | None = None
    blob: str | None = None
    """SHA-256 of a blob put before; exactly one of `text` and `blob`."""
    note: str = ""
    lock: bool = False
    """Take the lock in the same step."""
    ttl_ms: int = DEFAULT_TTL_MS
    origin: Provenance = Provenance()


class SaveArtifact(Command[Versioned], frozen=True, kw_only=True, tag="artifact.save"):
    """Make a new version under a lock."""

    artifact: str
    fence: int
    base: int
    text: str | None = None
    blob: str | None = None
    note: str = ""
    then: Literal["keep", "release"] = "release"
    origin: Provenance = Provenance()


class MoveArtifact(Command[Versioned], frozen=True, kw_only=True, tag="artifact.move"):
    """Give an artifact another path, under its lock."""

    artifact: str
    fence: int
    base: int
    path: str
    note: str = ""
    then: Literal["keep", "release"] = "release"


class DeleteArtifact(Command[Versioned], frozen=True, kw_only=True, tag="artifact.delete"):
    """Take an artifact out of the folder, under its lock; its versions stay."""

    artifact: str
    fence: int
    base: int
    note: str = ""


class RestoreArtifact(Command[Versioned], frozen=True, kw_only=True, tag="artifact.restore"):
    """Make a new version with the bytes of an older one, under the lock."""

    artifact: str
    fence: int
    base: int
    version: int
    """The version whose bytes come back."""
    note: str = ""
    then: Literal["keep", "release"] = "release"
