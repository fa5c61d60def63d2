"""What can happen: the data of each event type. The tag of a class is its event type."""

from __future__ import annotations

from flowide.domain.facts.artifacts import (
    ArtifactCreated,
    ArtifactDeleted,
    ArtifactMoved,
    ArtifactRestored,
    ArtifactSaved,
    Saved,
)
from flowide.domain.facts.base import Fact
from flowide.domain.facts.decisions import (
    DecisionAgreed,
    DecisionProposed,
    DecisionReopened,
    DecisionSuperseded,
)
from flowide.domain.facts.discussion import (
    MessagePosted,
    ThreadAgentSet,
    ThreadOpened,
    ThreadPinned,
    TurnAsked,
    TurnFailed,
    TurnStopped,
    TurnTaken,
)
from flowide.domain.facts.drafts import DraftAdopted, DraftDiscarded, DraftKept
from flowide.domain.facts.gates import GateAnswered, GateOpened
from flowide.domain.facts.git import ArtifactCommitted
from flowide.domain.facts.locks import (
    Holder,
    LockAcquired,
    LockDequeued,
    LockForced,
    LockLapsed,
    LockQueued,
    LockReleased,
    LockRevived,
    LockTransferred,
)
from flowide.domain.facts.members import (
    MemberInvited,
    MemberJoined,
    MemberRemoved,
    MemberRoleChanged,
    TokenCreated,
    TokenRevoked,
)
from flowide.domain.facts.reviews import (
    ReviewApproved,
    ReviewHandedOver,
    ReviewJudged,
    ReviewOpened,
    ReviewRejected,
)
from flowide.domain.facts.runs import (
    RunCancelAsked,
    RunClaimed,
    RunFinished,
    RunQueued,
    RunStarted,
    RunStep,
)
from flowide.domain.facts.variations import (
    VariationAccepted,
    VariationChecked,
    VariationCreated,
    VariationNoted,
    VariationRejected,
    VariationSetOpened,
    VariationShortlisted,
    VariationTagged,
)


def _leaves(root: type[Fact]) -> dict[str, type[Fact]]:
    found: dict[str, type[Fact]] = {}
    for child in root.__subclasses__():
        if isinstance(child.__struct_config__.tag, str) and "." in child.__struct_config__.tag:
            found[child.event_type()] = child
        found.update(_leaves(child))
    return found


FACTS: dict[str, type[Fact]] = _leaves(Fact)
"""Fact class of each event type."""

__all__ = [
    "FACTS",
    "ArtifactCommitted",
    "ArtifactCreated",
    "ArtifactDeleted",
    "ArtifactMoved",
    "ArtifactRestored",
    "ArtifactSaved",
    "DecisionAgreed",
    "DecisionProposed",
    "DecisionReopened",
    "DecisionSuperseded",
    "DraftAdopted",
    "DraftDiscarded",
    "DraftKept",
    "Fact",
    "GateAnswered",
    "GateOpened",
    "Holder",
    "LockAcquired",
    "LockDequeued",
    "LockForced",
    "LockLapsed",
    "LockQueued",
    "LockReleased",
    "LockRevived",
    "LockTransferred",
    "MemberInvited",
    "MemberJoined",
    "MemberRemoved",
    "MemberRoleChanged",
    "MessagePosted",
    "ReviewApproved",
    "ReviewHandedOver",
    "ReviewJudged",
    "ReviewOpened",
    "ReviewRejected",
    "RunCancelAsked",
    "RunClaimed",
    "RunFinished",
    "RunQueued",
    "RunStarted",
    "RunStep",
    "Saved",
    "ThreadAgentSet",
    "ThreadOpened",
    "ThreadPinned",
    "TokenCreated",
    "TokenRevoked",
    "TurnAsked",
    "TurnFailed",
    "TurnStopped",
    "TurnTaken",
    "VariationAccepted",
    "VariationChecked",
    "VariationCreated",
    "VariationNoted",
    "VariationRejected",
    "VariationSetOpened",
    "VariationShortlisted",
    "VariationTagged",
]
