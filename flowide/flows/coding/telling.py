"""What a coding agent does, as steps of the run: who follows the run sees it, and it stays in the log."""

from __future__ import annotations

import os
from typing import Any

from flowide.agents.acp.desk import CHANGING
from flowide.agents.api import Progress
from flowide.flows.coding.permits import SERVER
from flowide.flows.state import RunState, StepStatus

MOST_CALLS = 200
"""Tool calls of a turn that are recorded one by one."""
MOST_NEWS, MOST_NOTES = 100, 20
"""Changes of a plan or mode, and warnings, of a turn that are told as they come."""
MAX_THOUGHTS = 8000
"""Characters of what it thinks aloud that are recorded, the last ones."""


class Telling:
    """One turn."""

    def __init__(self, state: RunState, key: str, agent: str) -> None:
        self._state, self._key, self._agent = state, key, agent
        self._calls: dict[str, str] = {}
        """Key of each call's step, by the agent's id."""
        self._begun: set[str] = set()
        self._thoughts = ""
        self._more = self._notes = 0
        self._told: dict[str, int] = {}
        self._late: dict[str, dict[str, Any]] = {}
        """The newest of what changed too often."""

    async def told(self, progress: Progress) -> None:
        """Record it."""
        match progress.kind:
            case "tool":
                await self._call(progress)
            case "plan":
                await self._often("plan", {"entries": progress.data["entries"]})
            case "mode":
                await self._often("mode", {"title": progress.title})
            case "note":
                self._notes += 1
                if self._notes <= MOST_NOTES:
                    self._state.observer.warning(f"{self._key}: @{self._agent}: {progress.title}")

    def thought(self, text: str) -> None:
        """It thinks aloud."""
        self._thoughts = (self._thoughts + text)[-MAX_THOUGHTS:]

    async def end(self) -> None:
        """The turn is over: what is told once is recorded."""
        for name, result in self._late.items():
            await self._record(name, name, "completed", result)
        self._late.clear()
        if self._thoughts:
            await self._record("thoughts", "thoughts", "completed", {"text": self._thoughts})
            self._thoughts = ""
        if self._more:
            self._state.observer.warning(
                f"{self._key}: @{self._agent} made {self._more} more tool calls, which are not recorded"
            )
            self._more = 0

    async def _often(self, name: str, result: dict[str, Any]) -> None:
        """Record what may change often: not each time when it changes all the time, but how it ends."""
        if self._told.get(name, 0) < MOST_NEWS:
            self._told[name] = self._told.get(name, 0) + 1
            await self._record(name, name, "completed", result)
        else:
            self._late[name] = result

    async def _call(self, progress: Progress) -> None:
        over = progress.status in {"completed", "failed"}
        if progress.id not in self._calls and len(self._calls) >= MOST_CALLS:
            self._more += over
            return
        name = self._calls.setdefault(progress.id, f"tool-{len(self._calls) + 1}")
        if not over and name in self._begun:
            return  # more of the same: the end says it all
        data = progress.data
        arguments = {"title": progress.title} | {
            each: data[each] for each in ("command", "paths") if data.get(each)
        }
        about = {"tool": f"{SERVER}/{data['kind']}", "arguments": arguments}
        if name not in self._begun:
            self._begun.add(name)
            await self._record(name, "tool.call", "started", about)
        outside = [path for path in data.get("paths", []) if os.path.isabs(path) and data["kind"] in CHANGING]
        if progress.status == "completed" and outside:
            self._state.observer.warning(
                f"{self._key}: @{self._agent} says that it changed {', '.join(outside[:5])}, outside of its copy"
            )
        if over:
            text = data.get("output") or data.get("why", "")
            result = {
                "text": text,
                "size": len(text.encode()),
                "images": [],
                "failed": progress.status == "failed",
            }
            more = {"diff": data["diff"]} if data.get("diff") else {}
            await self._record(name, "tool.call", "completed", {**about, **result, **more})

    async def _record(self, name: str, kind: str, status: StepStatus, result: dict[str, Any]) -> None:
        # Not as `agent`, which counts calls of models.
        who = {"by": self._agent, "by_kind": "agent"}
        await self._state.commit(
            self._state.record(f"{self._key}/{name}", kind, status, result={**who, **result})
        )
