"""What a coding agent does, as steps of the run: who follows the run sees it, and it stays in the log."""

from __future__ import annotations

from typing import Any

from flowide.agents.api import Progress
from flowide.flows.state import RunState, StepStatus

MOST_CALLS = 200
"""Tool calls of a turn that are recorded one by one."""
MAX_THOUGHTS = 8000
"""Characters of what it thinks aloud that are recorded, the last ones."""
_STATUS: dict[str, StepStatus] = {
    "started": "started",
    "running": "started",
    "completed": "completed",
    "failed": "failed",
}


class Telling:
    """One turn."""

    def __init__(self, state: RunState, key: str, agent: str) -> None:
        self._state, self._key, self._agent = state, key, agent
        self._calls: dict[str, str] = {}
        """Key of each call's step, by the agent's id."""
        self._status: dict[str, StepStatus] = {}
        self._thoughts = ""
        self._more = 0

    async def told(self, progress: Progress) -> None:
        """Record it."""
        result: dict[str, Any] = {"agent": self._agent, "title": progress.title, **progress.data}
        match progress.kind:
            case "tool":
                await self._call(progress, result)
            case "plan":
                await self._record("plan", "plan", "completed", result)
            case "mode":
                await self._record("mode", "mode", "completed", result)
            case "note":
                self._state.observer.warning(f"{self._key}: @{self._agent}: {progress.title}")

    def thought(self, text: str) -> None:
        """It thinks aloud."""
        self._thoughts = (self._thoughts + text)[-MAX_THOUGHTS:]

    async def end(self) -> None:
        """The turn is over: what is told once is recorded."""
        if self._thoughts:
            await self._record(
                "thoughts", "thoughts", "completed", {"agent": self._agent, "text": self._thoughts}
            )
            self._thoughts = ""
        if self._more:
            self._state.observer.warning(
                f"{self._key}: @{self._agent} made {self._more} more tool calls, which are not recorded"
            )
            self._more = 0

    async def _call(self, progress: Progress, result: dict[str, Any]) -> None:
        if progress.id not in self._calls and len(self._calls) >= MOST_CALLS:
            self._more += progress.status in {"completed", "failed"}
            return
        name = self._calls.setdefault(progress.id, f"tool-{len(self._calls) + 1}")
        status = _STATUS[progress.status]
        if self._status.get(name) == status == "started":
            return  # more of the same: the end says it all
        self._status[name] = status
        await self._record(name, "tool", status, result)

    async def _record(self, name: str, kind: str, status: StepStatus, result: dict[str, Any]) -> None:
        error = (
            {"code": "failed", "message": result.get("why", "the tool failed")}
            if status == "failed"
            else None
        )
        await self._state.commit(
            self._state.record(f"{self._key}/{name}", kind, status, result=result, error=error)
        )
