"""What can be asked about a space: one class for each query, answered from one consistent state."""

from __future__ import annotations

from flowide.space.queries.artifacts import ArtifactAt, Artifacts, Content, FindArtifact, History
from flowide.space.queries.audit import Hit, Problem, Search, Verify
from flowide.space.queries.base import Query
from flowide.space.queries.decisions import (
    Decisions,
    OneDecision,
)
from flowide.space.queries.discussion import (
    FindThread,
    LatestMessage,
    OneMessage,
    OneTurn,
    Spoken,
    ThreadMessages,
    Threads,
    ThreadView,
    Turns,
)
from flowide.space.queries.drafts import DraftContent, Drafts, DraftText, LiveDraft
from flowide.space.queries.gates import Gates
from flowide.space.queries.git import Commits
from flowide.space.queries.locks import Locks, LockState
from flowide.space.queries.members import Members, Tokens, TokenView
from flowide.space.queries.reviews import (
    OneReview,
    Reasons,
    Remembered,
    Reviews,
    ReviewView,
)
from flowide.space.queries.runs import OneRun, Queue, Runs, RunView, StepText
from flowide.space.queries.stats import ActorStats, HoldStats, ModelStats, Stats, StatsView
from flowide.space.queries.variations import (
    OneVariationSet,
    SetView,
    VariationSets,
    VariationText,
    VariationView,
)

__all__ = [
    "ActorStats",
    "ArtifactAt",
    "Artifacts",
    "Commits",
    "Content",
    "Decisions",
    "DraftContent",
    "DraftText",
    "Drafts",
    "FindArtifact",
    "FindThread",
    "Gates",
    "History",
    "Hit",
    "HoldStats",
    "LatestMessage",
    "LiveDraft",
    "LockState",
    "Locks",
    "Members",
    "ModelStats",
    "OneDecision",
    "OneMessage",
    "OneReview",
    "OneRun",
    "OneTurn",
    "OneVariationSet",
    "Problem",
    "Query",
    "Queue",
    "Reasons",
    "Remembered",
    "ReviewView",
    "Reviews",
    "RunView",
    "Runs",
    "Search",
    "SetView",
    "Spoken",
    "Stats",
    "StatsView",
    "StepText",
    "ThreadMessages",
    "ThreadView",
    "Threads",
    "TokenView",
    "Tokens",
    "Turns",
    "VariationSets",
    "VariationText",
    "VariationView",
    "Verify",
]
