"""What can be asked of a space: one class for each command, named on the wire by its tag.

Ids of new things come from the sender (UUIDv7), so that a command can be sent again safely.
Text is inline up to `MAX_INLINE`; above that, or when it is not UTF-8, put a blob first and name it.
"""

from __future__ import annotations

from typing import Any

from flowide.domain.commands.artifacts import (
    CreateArtifact,
    DeleteArtifact,
    MoveArtifact,
    Provenance,
    RestoreArtifact,
    SaveArtifact,
    Versioned,
)
from flowide.domain.commands.base import (
    DEFAULT_TTL_MS,
    MAX_BLOB,
    MAX_INLINE,
    MAX_TTL_MS,
    MIN_TTL_MS,
    Command,
    Done,
)
from flowide.domain.commands.batch import Batch, Results
from flowide.domain.commands.decisions import (
    AgreeDecision,
    Proposed,
    ProposeDecision,
    ReopenDecision,
    SupersedeDecision,
)
from flowide.domain.commands.discussion import (
    AskAgent,
    FailTurn,
    OpenThread,
    PinArtifact,
    Posted,
    PostMessage,
    SetThreadAgent,
    StopTurn,
    TakeTurn,
)
from flowide.domain.commands.drafts import (
    AdoptDraft,
    Adopted,
    AppendDraft,
    DiscardDraft,
    Have,
    KeepDraft,
    Kept,
)
from flowide.domain.commands.gates import AnswerGate, OpenGate
from flowide.domain.commands.git import RecordCommit
from flowide.domain.commands.locks import (
    AcquireLock,
    CancelTicket,
    Forced,
    ForceLock,
    Granted,
    ReleaseLock,
    Renewed,
    RenewLock,
    TransferLock,
)
from flowide.domain.commands.members import (
    ChangeRole,
    CreateToken,
    Invited,
    InviteMember,
    Joined,
    JoinMember,
    RemoveMember,
    RevokeToken,
)
from flowide.domain.commands.reviews import (
    Counted,
    FinishReview,
    HandOver,
    JudgeReview,
    OpenReview,
    Reason,
    ReasonKind,
    VerdictKind,
)
from flowide.domain.commands.runs import (
    Cancelled,
    CancelRun,
    ClaimRun,
    FinishRun,
    Leased,
    QueueRun,
    RecordStep,
    RenewRun,
    StartRun,
    StreamStep,
)
from flowide.domain.commands.variations import (
    AcceptVariation,
    AddVariation,
    NoteVariation,
    Numbered,
    OpenVariationSet,
    RecordCheck,
    RejectVariation,
    ShortlistVariation,
    TagVariation,
)


def _leaves(root: type[Any]) -> dict[str, type[Command[Any]]]:
    found: dict[str, type[Command[Any]]] = {}
    for child in root.__subclasses__():
        tag = child.__struct_config__.tag
        if isinstance(tag, str) and (tag == "batch" or "." in tag):
            found[tag] = child
        found.update(_leaves(child))
    return found


COMMANDS: dict[str, type[Command[Any]]] = _leaves(Command)
"""Command class of each name on the wire."""

SILENT = frozenset({"lock.renew", "draft.append", "run.renew", "run.stream"})
"""Commands that store no reply: fence and offset make them idempotent."""

__all__ = [
    "COMMANDS",
    "DEFAULT_TTL_MS",
    "MAX_BLOB",
    "MAX_INLINE",
    "MAX_TTL_MS",
    "MIN_TTL_MS",
    "SILENT",
    "AcceptVariation",
    "AcquireLock",
    "AddVariation",
    "AdoptDraft",
    "Adopted",
    "AgreeDecision",
    "AnswerGate",
    "AppendDraft",
    "AskAgent",
    "Batch",
    "CancelRun",
    "CancelTicket",
    "Cancelled",
    "ChangeRole",
    "ClaimRun",
    "Command",
    "Counted",
    "CreateArtifact",
    "CreateToken",
    "DeleteArtifact",
    "DiscardDraft",
    "Done",
    "FailTurn",
    "FinishReview",
    "FinishRun",
    "ForceLock",
    "Forced",
    "Granted",
    "HandOver",
    "Have",
    "InviteMember",
    "Invited",
    "JoinMember",
    "Joined",
    "JudgeReview",
    "KeepDraft",
    "Kept",
    "Leased",
    "MoveArtifact",
    "NoteVariation",
    "Numbered",
    "OpenGate",
    "OpenReview",
    "OpenThread",
    "OpenVariationSet",
    "PinArtifact",
    "PostMessage",
    "Posted",
    "ProposeDecision",
    "Proposed",
    "Provenance",
    "QueueRun",
    "Reason",
    "ReasonKind",
    "RecordCheck",
    "RecordCommit",
    "RecordStep",
    "RejectVariation",
    "ReleaseLock",
    "RemoveMember",
    "RenewLock",
    "RenewRun",
    "Renewed",
    "ReopenDecision",
    "RestoreArtifact",
    "Results",
    "RevokeToken",
    "SaveArtifact",
    "SetThreadAgent",
    "ShortlistVariation",
    "StartRun",
    "StopTurn",
    "StreamStep",
    "SupersedeDecision",
    "TagVariation",
    "TakeTurn",
    "TransferLock",
    "VerdictKind",
    "Versioned",
]
