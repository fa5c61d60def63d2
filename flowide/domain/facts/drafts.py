"""What happens to drafts that ended without a save."""

from __future__ import annotations

from flowide.domain.facts.base import Fact


class DraftKept(Fact, frozen=True, kw_only=True, tag="draft.kept"):
    """Text under a fence that has ended became an orphan draft."""

    draft: str
    artifact: str
    fence: int
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
    """Its owner let an orphan draft go; the blob stays in the log's history."""

    draft: str
