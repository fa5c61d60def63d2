"""A desk for trying an agent: an empty folder, nothing is permitted, nothing is taken over."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from flowide.agents.acp.desk import Answer, Question, Seat, SpaceTools
from flowide.agents.api import Request
from flowide.agents.definition import AgentDefinition


class TrialDesk:
    """Gives an empty folder for one turn."""

    @asynccontextmanager
    async def seat(self, agent: AgentDefinition, request: Request) -> AsyncIterator[Seat]:
        """A folder that is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="flowide-trial-", ignore_cleanup_errors=True) as made:
            yield TrialSeat(made)


class TrialSeat:
    """An empty folder to answer from."""

    session: str | None = None
    confined = True
    tools: SpaceTools | None = None
    trusted = False

    def __init__(self, made: str) -> None:
        base = Path(made).resolve()
        self.base = base / "copy"
        self.folder, self.temporary, self.logs = self.base / "project", self.base / "tmp", base / "logs"
        for each in (self.folder, self.temporary, self.logs):
            each.mkdir(parents=True)

    def remember(self, session: str | None) -> None:
        """There is no next time."""

    async def permit(self, question: Question) -> Answer:
        """Nothing is permitted: it is only asked whether it answers."""
        return "deny"
