"""A run as an editor shows it: a plan of its steps, tool calls for what is done, diffs of what is saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import acp
from acp.schema import FileEditToolCallContent, PlanEntryStatus, ToolCallLocation, ToolCallStatus, ToolKind

from flowide.domain.events import Event
from flowide.flows.load import LoadedFlow
from flowide.project.kinds import is_text
from flowide.space.api import Space
from flowide.space.queries import Content

_STATUS: dict[str, ToolCallStatus] = {
    "started": "in_progress",
    "completed": "completed",
    "failed": "failed",
    "skipped": "completed",
}
_KINDS = frozenset({"read", "edit", "delete", "move", "search", "execute", "think", "fetch"})
_SHOWN = frozenset(
    {"vary", "more", "critique", "draft", "revise", "review", "discuss", "edit", "check", "repair", "write"}
)
"""Kinds of calls inside of steps that are shown."""
LARGEST_DIFF = 200_000


class RunTelling:
    """One run."""

    def __init__(self, space: Space, root: Path, run: str, flow: LoadedFlow | None) -> None:
        """`flow` None = its steps are no plan worth showing."""
        self._space, self._root, self.run = space, root, run
        self._plan = {} if flow is None else {step.id: step.kind for step in flow.flow.steps}
        self._done: dict[str, str] = {}
        self._begun: set[str] = set()

    async def updates(self, event: Event) -> list[Any]:
        """What an event of the run becomes; most become nothing."""
        data = event.data
        if data.get("run") != self.run:
            return []
        if event.type == "run.step":
            return self._step(data)
        if event.type in {"artifact.saved", "artifact.created"}:
            return [await self._saved(data)]
        if event.type == "variation.created":
            title = f"Variation {data.get('number')} by @{data.get('author')}"
            return [self._call(f"variation {data.get('number')}", title, kind="think", status="completed")]
        return []

    def _call(self, id: str, title: str, **more: Any) -> Any:
        """News of a call: the first is its start."""
        if id in self._begun:
            return acp.update_tool_call(id, title=title, **more)
        self._begun.add(id)
        return acp.start_tool_call(id, title, **more)

    def plan(self) -> Any | None:
        """The steps and how far they are; None = there is no plan."""
        if not self._plan:
            return None
        entries = [
            acp.plan_entry(
                f"{id} ({kind})" if id != kind else id, status=cast("PlanEntryStatus", self._state(id))
            )
            for id, kind in self._plan.items()
        ]
        return acp.update_plan(entries)

    def _state(self, id: str) -> str:
        return {"started": "in_progress", "completed": "completed", "skipped": "completed"}.get(
            self._done.get(id, ""), "pending"
        )

    def _step(self, data: dict[str, Any]) -> list[Any]:
        key, status, result = data["key"], data["status"], data.get("result", {})
        if key in self._plan:
            self._done[key] = status
            plan = self.plan()
            return [] if plan is None else [plan]
        if data["kind"] == "tool.call":
            return [self._tool(key, status, result)]
        if data["kind"] in _SHOWN and "agent" in result:
            said = (data.get("error") or {}).get("message", "")
            content = [acp.tool_content(acp.text_block(said))] if said else None
            return [
                self._call(
                    key, f"@{result['agent']}: {data['kind']}", kind="think",
                    status=_STATUS[status], content=content,
                )
            ]  # fmt: skip
        return []

    def _tool(self, key: str, status: str, result: dict[str, Any]) -> Any:
        arguments = result.get("arguments") or {}
        name = result.get("tool", "a tool")
        kind = name.rpartition("/")[2]
        title = arguments.get("title", name) if isinstance(arguments, dict) else name
        said = result.get("diff") or result.get("text") or ""
        failed = status == "failed" or result.get("failed")
        return self._call(
            key,
            f"@{result.get('by', '')} {title}",
            kind=cast("ToolKind", kind if kind in _KINDS else "other"),
            status="failed" if failed else _STATUS[status],
            content=[acp.tool_content(acp.text_block(said))] if said else None,
        )

    async def _saved(self, data: dict[str, Any]) -> Any:
        artifact, version, path = data["artifact"], data["version"], data["path"]
        after = await self._space.read(Content(artifact, version))
        before: bytes | None = None
        if version > 1:
            before = await self._space.read(Content(artifact, version - 1))
        place = os.fspath(self._root / path)
        content = None
        if is_text(after) and is_text(before or b"") and len(after) + len(before or b"") <= LARGEST_DIFF:
            old = None if before is None else before.decode()
            content = [
                FileEditToolCallContent(type="diff", path=place, old_text=old, new_text=after.decode())
            ]
        return self._call(
            f"{artifact}@{version}",
            f"Saved {path}, version {version}",
            kind="edit",
            status="completed",
            locations=[ToolCallLocation(path=place)],
            content=content,
        )
