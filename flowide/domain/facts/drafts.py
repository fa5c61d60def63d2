"""What happens to drafts that ended without a save."""

from __future__ import annotations

from typing import Literal

from flowide.domain.facts.base import Fact


class DraftKept(Fact, frozen=True, kw_only=True, tag="draft.kept"):
    """Text under a fence that has ended became an orphan draft, or somebody keeps a private one."""

    draft: str
    artifact: str
    fence: int
    """0 for a text that was written without a lock."""
    base: int
    owner: str
    size: int
    sha256: str
    why: str


class DraftAdopted(Fact, frozen=True, kw_only=True, tag="draft.adopted"):
    """An orphan draft is the live draft of a new fence."""

    draft: str
    artifact: str
    fence: int


class DraftDiscarded(Fact, frozen=True, kw_only=True, tag="draft.discarded"):
    """An orphan draft is no longer offered; its text stays in the space."""

    draft: str
    artifact: str | None = None
    why: Literal["discarded", "expired"] = "discarded"
