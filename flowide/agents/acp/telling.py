"""What an agent says it does, as progress: bounded, without a second copy of what did not change."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
from msgspec import structs

from flowide.agents.acp.inside import Outside, relative
from flowide.agents.api import Delta, Progress, ReasoningDelta, TextDelta
from flowide.agents.redact import hide

MAX_DIFF = 16 * 1024
MAX_OUTPUT = 4 * 1024
MAX_TITLE = 300
MOST_ENTRIES = 50
_LARGEST_COMPARED = 200_000
_STATUS: dict[str, Literal["started", "running", "completed", "failed"]] = {
    "pending": "started", "in_progress": "running", "completed": "completed", "failed": "failed",
}  # fmt: skip


class ToolCalls:
    """The tool calls of one turn, by id, as they stand."""

    def __init__(self, folder: Path, output_of: Callable[[str], str]) -> None:
        """`output_of` gives what a terminal shows."""
        self._folder, self._output_of = folder, output_of
        self._known: dict[str, Progress] = {}

    def update(self, call: Any) -> Progress | None:
        """The state of a call after news of it; None when nothing changed.

        `call` is the library's `ToolCallStart` or `ToolCallProgress`, or the `ToolCallUpdate` of a question.
        """
        before = self.known(call)
        id = before.id
        data = dict(before.data)
        if call.kind:
            data["kind"] = str(call.kind)
        if call.locations:
            data["paths"] = [shown_path(self._folder, each.path) for each in call.locations[:MOST_ENTRIES]]
        command = command_in(call.raw_input)
        if command:
            data["command"] = command
        for content in call.content or []:
            data.update(self._content(content))
        now = Progress(
            "tool",
            id,
            self._title(str(call.title)) if call.title else before.title,
            _STATUS.get(call.status, before.status) if call.status else before.status,
            data,
        )
        if now == self._known.get(id):
            return None
        self._known[id] = now
        return now

    def known(self, call: Any) -> Progress:
        """The state of a call as far as it was told."""
        id = str(call.tool_call_id)[:200]
        return self._known.get(id) or Progress("tool", id, "a tool", "started", {"kind": "other"})

    def end(self) -> list[Progress]:
        """The calls that nobody said the end of, as failed: the turn is over."""
        return [
            Progress(
                "tool", each.id, each.title, "failed", {**each.data, "why": "the turn ended before it did"}
            )
            for each in self._known.values()
            if each.status in {"started", "running"}
        ]

    def _title(self, title: str) -> str:
        """As the agent says it, with paths as the project has them."""
        return title.replace(f"{self._folder}/", "")[:MAX_TITLE]

    def _content(self, content: Any) -> dict[str, Any]:
        if content.type == "diff":
            return {
                "diff": diff_of(shown_path(self._folder, content.path), content.old_text, content.new_text)
            }
        if content.type == "terminal":
            return {"output": self._output_of(content.terminal_id)[-MAX_OUTPUT:]}
        text = getattr(content.content, "text", None)
        return {"output": text[-MAX_OUTPUT:]} if isinstance(text, str) else {}


def command_in(raw: Any) -> str:
    """The command line in the arguments of a tool, as agents have it; empty when there is none."""
    given = raw.get("command", raw.get("cmd")) if isinstance(raw, dict) else None
    if isinstance(given, list):
        given = " ".join(str(word) for word in given)
    return given[:2000] if isinstance(given, str) else ""


def shown_path(folder: Path, path: str) -> str:
    """The path as the project has it; one outside as it is."""
    try:
        return relative(folder, path)[:1000]
    except Outside:
        return os.path.normpath(path)[:1000]


def diff_of(path: str, old: str | None, new: str) -> str:
    """A unified diff, cut when it is long."""
    if len(old or "") + len(new) > _LARGEST_COMPARED:
        return f"{path}: {len(old or '')} characters become {len(new)}"
    lines = difflib.unified_diff(
        (old or "").splitlines(),
        new.splitlines(),
        f"a/{path}" if old is not None else "/dev/null",
        f"b/{path}",
        lineterm="",
    )
    text = "\n".join(lines)
    return text if len(text) <= MAX_DIFF else f"{text[:MAX_DIFF]}\n[…]"


def plan_of(entries: list[Any]) -> Progress:
    """A plan: its entries with their state."""
    told = [
        {"content": str(each.content)[:MAX_TITLE], "status": str(each.status), "priority": str(each.priority)}
        for each in entries[:MOST_ENTRIES]
    ]
    done = sum(each["status"] == "completed" for each in told)
    return Progress(
        "plan", "plan", f"{done} of {len(told)} done", "running", cast("dict[str, Any]", {"entries": told})
    )


def hidden(delta: Delta, secret: str) -> Delta:
    """The same without a secret that the agent blurted out."""
    if isinstance(delta, TextDelta | ReasoningDelta):
        return structs.replace(delta, text=hide(delta.text, [secret])) if secret in delta.text else delta
    told = json.dumps(msgspec.to_builtins(delta))
    return msgspec.convert(json.loads(hide(told, [secret])), type(delta)) if secret in told else delta
