"""Where a review is, while it is driven; the log has all that a resume needs."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from flowide.domain import rows
from flowide.domain.commands import FinishReview
from flowide.flows.reviewing.prompts import SentBack
from flowide.flows.schema import Stage
from flowide.flows.stable import stable_id
from flowide.flows.state import RunState, StepContext
from flowide.space.queries import FindArtifact, OneReview


class Going(Struct):
    """Where a review is."""

    context: StepContext
    stages: list[Stage]
    who: dict[str, str]
    """Agent or `person` of each stage."""
    brief: str
    path: str
    rounds: int
    round: int = 1
    at: int = 0
    version: int = 0
    """Under review; 0 = there is none yet."""
    seen: dict[str, int] = field(default_factory=dict)
    """The version each stage saw last."""
    said: list[SentBack] = field(default_factory=list)
    """What was said since somebody wrote."""
    refused: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Changes of each agent that were not taken."""

    @property
    def state(self) -> RunState:
        return self.context.state

    @property
    def id(self) -> str:
        """Of the review."""
        return stable_id(self.state.run, self.context.step.id)

    @property
    def stage(self) -> Stage:
        return self.stages[self.at]

    def key(self, what: str) -> str:
        """Of a step of this stage in this round."""
        return f"{self.context.step.id}#{self.round}/{self.stage.stage}/{what}"


async def artifact_of(going: Going) -> rows.Artifact:
    view = await going.state.space.read(OneReview(going.id))
    return await going.state.space.read(FindArtifact(view.review.artifact))


async def finish(going: Going, status: Any, why: str) -> None:
    view = await going.state.space.read(OneReview(going.id))
    if view.review.status == "open":
        command = FinishReview(review=going.id, status=status, version=going.version, why=why[:2000])
        await going.state.space.execute(command)
