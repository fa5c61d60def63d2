"""The projected state, as rows. A store keeps one table for each class here.

Projections can be dropped and rebuilt from the log; transient rows have no events.
"""

from __future__ import annotations

from flowide.domain.rows.artifacts import Artifact, Version
from flowide.domain.rows.base import Row
from flowide.domain.rows.decisions import (
    Decision,
)
from flowide.domain.rows.discussion import (
    Message,
    Thread,
    Turn,
)
from flowide.domain.rows.drafts import Draft
from flowide.domain.rows.gates import Gate
from flowide.domain.rows.git import Commit
from flowide.domain.rows.locks import Lock, Ticket
from flowide.domain.rows.members import Invite, Member, Token
from flowide.domain.rows.reviews import (
    Handover,
    Review,
    Verdict,
)
from flowide.domain.rows.runs import Run, Step
from flowide.domain.rows.transient import Chunk, Connected, Lease, LiveDraft
from flowide.domain.rows.variations import Check, Variation, VariationSet

PROJECTIONS: tuple[type[Row], ...] = (
    Artifact, Version, Lock, Ticket, Draft, VariationSet, Variation, Check, Run, Step, Gate,
    Thread, Message, Turn, Decision, Review, Handover, Verdict, Commit, Member, Invite, Token,
)  # fmt: skip
TRANSIENT: tuple[type[Row], ...] = (Lease, LiveDraft, Chunk, Connected)

__all__ = [
    "PROJECTIONS",
    "TRANSIENT",
    "Artifact",
    "Check",
    "Chunk",
    "Commit",
    "Connected",
    "Decision",
    "Draft",
    "Gate",
    "Handover",
    "Invite",
    "Lease",
    "LiveDraft",
    "Lock",
    "Member",
    "Message",
    "Review",
    "Row",
    "Run",
    "Step",
    "Thread",
    "Ticket",
    "Token",
    "Turn",
    "Variation",
    "VariationSet",
    "Verdict",
    "Version",
]
